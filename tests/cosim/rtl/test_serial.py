"""The FPGA board's whole design at the end of its serial line: the Python driver, golden's logits."""

import pytest
import torch

pytest.importorskip("systemrdl", reason="pip install 'sottovoce[system]'")
from cosim.bench.networks import random_frames, random_model  # noqa: E402
from cosim.rtl.serial import SerialBoard  # noqa: E402
from hw import config as configs  # noqa: E402
from hw.driver.driver import BusError, Driver, DriverError  # noqa: E402
from hw.driver.image import image_words  # noqa: E402
from hw.driver.serial_bus import SerialBus  # noqa: E402
from hw.interface import MODES  # noqa: E402
from sw import golden  # noqa: E402
from sw.integers import images  # noqa: E402

pytestmark = pytest.mark.timeout(1800)  # builds a simulator
TINY = configs.load("tiny")


@pytest.fixture(scope="module")
def port():
    with SerialBoard(TINY) as found:
        yield found


def same_as_golden(driver, model, mode, count):
    """Load, push, read: every logit of so many frames."""
    driver.load_image(image_words(model.config, list(images.load_words(model, MODES[mode]))))
    x = random_frames(model.config, count, torch.Generator().manual_seed(8))
    wanted = golden.run(model, x[None], MODES[mode].time_steps).logits[0].tolist()
    for frame, logits in zip(x.tolist(), wanted, strict=True):
        driver.push(frame)
        assert driver.pull() == logits
    assert driver.errors() == (set(), 0)


@pytest.mark.parametrize("mode", ["t2_union", "t1"])
def test_logits_over_the_line_are_goldens(port, mode):
    driver = Driver(SerialBus(port), TINY)
    same_as_golden(driver, random_model(TINY, torch.Generator().manual_seed(5)), mode, 6)
    assert driver.counts().frames == 6


def test_refused_accesses_are_told_with_their_address(port):
    bus = SerialBus(port)
    driver = Driver(bus, TINY)
    with pytest.raises(BusError, match="a read of 0x7f0 was refused"):
        bus.read(0x7f0)
    driver.set_threshold(0, 0)  # the answer comes with the next read
    with pytest.raises(BusError, match="a write to 0x80 was refused"):
        driver.status("busy")
    bus.write(0x7f0, 1)
    bus.write(0x12, 1)
    with pytest.raises(BusError, match="a write to 0x7f0 was refused, and 1 accesses after it"):
        bus.flush()
    assert driver.errors() == ({"address", "value", "alignment"}, 4)


def test_what_another_left_on_the_line_is_forgotten(port):
    for _ in range(3):
        Driver(SerialBus(port), TINY).clear()  # its last answer is never read
    assert Driver(SerialBus(port), TINY).errors() == (set(), 0)


def test_what_is_not_understood_is_told(port):
    bus = SerialBus(port)
    port.write(b"x")
    with pytest.raises(DriverError, match="a read of 0x0: it was not understood: open the bus"):
        bus.read(0)


class Silent:
    def write(self, data):
        pass

    def read(self, count):
        return b""

    def reset_input_buffer(self):
        pass


def test_silence_is_told():
    with pytest.raises(DriverError, match="a read of 0x0: no answer on the serial line"):
        Driver(SerialBus(Silent()), TINY)


@pytest.mark.slow
def test_keywords_over_the_line():
    config = configs.load("keywords")
    with SerialBoard(config, patience=600) as port:
        same_as_golden(Driver(SerialBus(port), config), random_model(config, torch.Generator().manual_seed(1)),
                       "t2_union", 5)
