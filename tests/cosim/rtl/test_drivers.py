"""Both drivers, with the same calls, on both buses of the Verilated accelerator: logits are golden's."""

import random
import subprocess

import numpy as np
import pytest
import torch

pytest.importorskip("systemrdl", reason="pip install 'sottovoce[system]'")
pytest.importorskip("peakrdl_cheader", reason="pip install 'sottovoce[system]'")
from cosim.bench.networks import random_frames, random_model  # noqa: E402
from cosim.rtl.bus import STREAMS, VerilatedBus, headers  # noqa: E402
from hw import config as configs  # noqa: E402
from hw.driver.driver import BusError, Counts, Driver, DriverError  # noqa: E402
from hw.driver.image import CHECK, check_word, image_words  # noqa: E402
from hw.interface import MODES  # noqa: E402
from sw import golden  # noqa: E402
from sw.integers import images  # noqa: E402

pytestmark = pytest.mark.timeout(1800)  # builds simulators
TINY = configs.load("tiny")
OK, NO_DEVICE, WRONG_CONFIG, TIMEOUT, BUSY, REFUSED, BAD_IMAGE, NO_LAYER = range(8)


class CDriver:
    """The C driver's calls with the Python driver's names and errors."""

    def __init__(self, bus, config, streams):
        self.bus = bus
        self._call("open", 0)

    def _call(self, name, *values):
        result, *answer = self.bus.call(name, *values)
        if result != OK:
            raise DriverError(f"{name}: result {result}")
        return answer

    def load_image(self, image):
        self._call("image", *image)

    def set_mode(self, bits):
        self._call("mode", bits)

    def set_threshold(self, layer, value):
        self._call("threshold", layer, value)

    def clear(self):
        self._call("clear")

    def clear_counters(self):
        self._call("clear_counters")

    def reset(self):
        self._call("reset")

    def push(self, features):
        self._call("push", *map(int, features))

    def pull(self):
        return self._call("pull")

    def counts(self):
        frames, *rest = self._call("counts")
        return Counts(frames, tuple(rest[:-5]), tuple(rest[-5:]))

    def errors(self):
        bits, count = self._call("errors")
        return bits, count


@pytest.fixture(scope="module", params=STREAMS)
def bus(request):
    with VerilatedBus(TINY, request.param, sanitized=True) as found:
        found.name = request.param
        yield found


@pytest.fixture(params=[Driver, CDriver], ids=["python", "c"])
def driver(request, bus):
    bus.call("power")
    return request.param(bus, TINY, streams=STREAMS[bus.name])


@pytest.fixture
def model():
    return random_model(TINY, torch.Generator().manual_seed(5))


def image_of(model, mode="t2_union"):
    return image_words(model.config, list(images.load_words(model, MODES[mode])))


def frames(count, seed=1):
    return random_frames(TINY, count, torch.Generator().manual_seed(seed))


def test_every_mode_gives_goldens_logits_and_counts(driver, model):
    driver.load_image(image_of(model))
    for name, mode in MODES.items():
        driver.set_mode(mode.bits)
        driver.clear()
        driver.clear_counters()
        x = frames(4)
        trace = golden.run(model, x[None], mode.time_steps)
        for frame, wanted in zip(x, trace.logits[0], strict=True):
            driver.push(frame.tolist())
            assert driver.pull() == wanted.tolist(), name
        counts = driver.counts()
        cost = golden.cycles(TINY, mode, x[None], trace)
        assert counts.frames == 4 and counts.row_reads == tuple(cost.reads[0].sum(0).tolist())
        assert counts.cycles[1] == 4  # one to combine, a frame
    assert driver.errors()[1] == 0


def test_frames_overlap_without_their_logits_mixing(driver, model):
    driver.load_image(image_of(model))
    x = frames(9, seed=2)
    wanted = golden.run(model, x[None], 2).logits[0].tolist()
    got = []
    for i, frame in enumerate(x):
        driver.push(frame.tolist())
        if i >= 2:
            got.append(driver.pull())
    assert [*got, driver.pull(), driver.pull()] == wanted


def test_other_weights_between_utterances(driver, model):
    other = random_model(TINY, torch.Generator().manual_seed(6))
    for network in (model, other, model):
        driver.load_image(image_of(network))
        x = frames(2, seed=3)
        for frame, wanted in zip(x, golden.run(network, x[None], 2).logits[0], strict=True):
            driver.push(frame.tolist())
            assert driver.pull() == wanted.tolist()


def test_reset_in_mid_frame(driver, model):
    driver.load_image(image_of(model))
    driver.push(frames(1)[0].tolist())
    driver.reset()
    driver.load_image(image_of(model))
    x = frames(1, seed=4)
    driver.push(x[0].tolist())
    assert driver.pull() == golden.run(model, x[None], 2).logits[0, 0].tolist()


def test_busy_is_said_and_nothing_is_changed(driver, model):
    driver.load_image(image_of(model))
    x = frames(1)
    driver.push(x[0].tolist())
    for change in (driver.clear, driver.clear_counters, lambda: driver.set_mode(1), lambda: driver.set_threshold(0, 5),
                   lambda: driver.load_image(image_of(model))):
        with pytest.raises(DriverError):
            change()
    assert driver.pull() == golden.run(model, x[None], 2).logits[0, 0].tolist()
    assert driver.errors()[1] == 0  # the driver asks before it writes


def test_a_refused_value_is_told(driver, bus):
    with pytest.raises(DriverError):
        driver.set_threshold(0, 0)
    kinds, count = driver.errors()
    assert kinds in ({"value"}, 1 << Driver(bus, TINY, streams=STREAMS[bus.name]).map.errors["value"]) and count == 1
    assert driver.errors()[1] == 0


@pytest.mark.parametrize("damage", [
    lambda image: image[:-1], lambda image: image[:3], lambda image: [0, *image[1:]], lambda image: [],
    lambda image: [image[0], image[1] ^ 1, *image[2:]], lambda image: [*image[:9], 0xffffffff, *image[10:]]],
    ids=["short", "shorter", "no magic", "nothing", "other configuration", "a segment of 2^32 words"])
def test_damaged_images_are_refused(driver, model, damage):
    with pytest.raises(DriverError):
        driver.load_image(damage(image_of(model)))


def test_a_damaged_image_changes_nothing(driver, model, bus):
    """Any word damaged, anywhere: refused before the hardware is touched; under the sanitizers, in C."""
    image = image_of(model)
    driver.load_image(image)
    chance = random.Random(7)
    places = [*range(12), *(chance.randrange(len(image)) for _ in range(12))]
    for at in places:
        for damaged in (image[:at], [*image[:at], image[at] ^ 1 << chance.randrange(32), *image[at + 1:]]):
            with pytest.raises(DriverError):
                driver.load_image(damaged)
    x = frames(1, seed=9)
    driver.push(x[0].tolist())
    assert driver.pull() == golden.run(model, x[None], 2).logits[0, 0].tolist()
    assert driver.errors()[1] == 0 and bus.call("bus_errors") == [OK, 0]


def test_a_segment_that_lies_about_its_length_stays_inside_the_image(driver, model):
    """A check word that is right does not make the rest so: counts are looked at too."""
    image = image_of(model)
    for count in (0xffffffff, len(image), image[9] + 1):
        lying = [*image[:9], count, *image[10:]]
        lying[CHECK] = check_word(lying)
        with pytest.raises(DriverError):
            driver.load_image(lying)


def test_a_layer_that_is_not_there(driver, bus):
    for layer in (2, 16, 0xe0, 2**30):  # further on are other registers
        with pytest.raises(DriverError):
            driver.set_threshold(layer, 5)
    assert driver.errors()[1] == 0 and bus.call("threshold", 2, 5) == [NO_LAYER]


def test_nothing_to_pull_ends(bus):
    bus.call("power")
    bus.call("open", 0)
    assert bus.call("pull")[0] == TIMEOUT


def test_more_frames_than_fit_are_waited_for(bus, model):
    bus.call("power")
    bus.call("open", 0)
    bus.call("image", *image_of(model))
    results = [bus.call("push", *frames(1)[0].tolist())[0] for _ in range(6)]
    assert results[:3] == [OK] * 3 and results[-1] == TIMEOUT and bus.call("bus_errors") == [OK, 0]


def test_wrong_address_is_no_device(bus):
    assert bus.call("open", 4)[0] == NO_DEVICE


def test_python_driver_meets_bus_errors(bus):
    with pytest.raises(BusError, match="0x7f0"):
        bus.read(0x7f0)
    with pytest.raises(DriverError, match="no Sottovoce accelerator at 0x4"):
        Driver(bus, TINY, base=4, streams=STREAMS[bus.name])


def test_python_driver_refuses_another_configuration(bus):
    from dataclasses import replace
    with pytest.raises(DriverError, match="another configuration"):
        Driver(bus, replace(TINY, name="other"), streams=STREAMS[bus.name])


@pytest.mark.parametrize("config", ["tiny", "paper", "keywords", "without counters"])
def test_c_driver_compiles_without_a_warning(tmp_path, config):
    from dataclasses import replace
    c = replace(TINY, counters=False) if config == "without counters" else configs.load(config)
    for name, text in headers(c, "wishbone").items():
        (tmp_path / name).write_text(text)
    run = subprocess.run(["gcc", "-std=c99", "-ffreestanding", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion",
                          "-Werror", "-c", "sottovoce.c"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_image_joins_neighbouring_rows(model):
    image = np.array(image_of(model))
    words = sum(rows for rows, _ in TINY.sizes().values()) * TINY.slices * TINY.load_bits // 32
    assert len(image) == 5 + 2 + 5 * 3 + words  # a segment for each buffer
