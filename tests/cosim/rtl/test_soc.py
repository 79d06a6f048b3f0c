"""The RISC-V's words are the golden model's, and what goes wrong is said over the serial line."""

import numpy as np
import pytest
import torch

pytest.importorskip("systemrdl", reason="pip install 'sottovoce[system]'")
pytest.importorskip("pythondata_cpu_vexriscv", reason="pip install 'sottovoce[system]'")
from cosim.bench.networks import random_frames, random_model  # noqa: E402
from cosim.errors import HarnessError, ToolError  # noqa: E402
from cosim.rtl import soc as systems  # noqa: E402
from hw import config as configs  # noqa: E402
from hw.interface import MODES  # noqa: E402
from hw.soc.system import SEEN  # noqa: E402
from sw import golden  # noqa: E402
from sw.keywords import spotter  # noqa: E402

pytestmark = [pytest.mark.timeout(1800), pytest.mark.skipif(
    bool(systems.missing_compiler()), reason=systems.missing_compiler() or "there")]
WORDS = ("north", "east", "south", "west", "nowhere")


@pytest.fixture(scope="module")
def model():
    """A random network of `tiny` with words for its first outputs, and the keyword spotter's normalisation."""
    from dataclasses import replace
    network = random_model(configs.load("tiny"), torch.Generator().manual_seed(3))
    tables = spotter.load("rsnn-keywords").network.integers.tables
    return replace(network, tables=tables, manifest={"labels": list(WORDS)})


@pytest.fixture(scope="module")
def system(model):
    return systems.Soc(model, quiet=True)


@pytest.fixture(scope="module")
def pieces():
    """Three "seconds" of 12 frames each."""
    return np.stack([random_frames(configs.load("tiny"), 12, torch.Generator().manual_seed(s)).numpy()
                     for s in range(3)]).astype(np.int8)


@pytest.mark.parametrize("mode", ["t1", "t2_union"])
def test_words_are_goldens(system, model, pieces, mode):
    said = system.run(pieces, mode=mode)
    sums = golden.run(model, torch.from_numpy(pieces).to(torch.int32), MODES[mode].time_steps).logits.sum(1)
    assert said.words == [WORDS[i] for i in sums[:, :len(WORDS)].argmax(1)]
    assert said.cycles["errors"] == 0 and said.cycles["frames"] == pieces.shape[0] * pieces.shape[1]
    assert 0 < said.cycles["cycles of the accelerator"] < said.cycles["cycles in all"] < said.all_cycles


def test_a_trace_has_every_cycle_from_reset_on(system, pieces, tmp_path):
    """Five words a cycle: the first fetch is of the program's first word, and the answer is that word."""
    said = system.run(pieces, trace=tmp_path / "trace", traced=2000)
    seen = np.fromfile(tmp_path / "trace", np.uint32).reshape(-1, 5)
    assert len(seen) == 2000 < said.all_cycles
    flags = SEEN["fetch"].offset, SEEN["fetch_ack"].offset
    fetching, answered = (seen[:, 0] >> place & 1 for place in flags)
    assert seen[fetching.argmax(), 2] == 0 and not (answered & ~fetching).any()
    assert seen[answered.argmax(), 1] == int.from_bytes(system.program[:4], "little")


def test_sound_for_a_network_of_other_features_is_refused(system):
    with pytest.raises(HarnessError, match="no parcel for this program"):
        system.run(np.zeros((1, 16000), np.int16), sound=True)


def test_weights_of_another_configuration_are_refused(system, model, pieces):
    from dataclasses import replace
    other = systems.Soc.__new__(systems.Soc)
    other.program, other.folder = system.program, system.folder
    other.model = replace(model, config=replace(model.config, name="other"))
    with pytest.raises(HarnessError, match="error: load: result 2"):
        other.run(pieces)


@pytest.mark.parametrize(("access", "says"), [
    ("*(volatile int *)0xa0000000", "refused an access to 0xa0000000"),  # nobody is there
    ("*(volatile int *)0xa0000004 = 1", "refused an access to 0xa0000004"),
    ("*(volatile int *)0x800007f0", "refused an access to 0x800007f0"),  # the accelerator has no such register
    ("*(volatile char *)0x80000024 = 1", "refused an access to 0x80000024"),  # a byte of a register
    ("__asm__ volatile (\"ecall\")", "trap of cause 0x0000000b"),
], ids=["read nobody", "write nobody", "no register", "a byte", "a trap"])
def test_a_refused_access_ends_the_program_and_says_where(system, model, pieces, access, says):
    other = systems.Soc.__new__(systems.Soc)
    other.model, other.folder = model, system.folder
    other.program = systems.program(model, f"int main(void) {{ {access}; for (;;); }}\n")
    with pytest.raises(HarnessError, match=says):
        other.run(pieces, limit=200_000)


def test_missing_compiler_names_the_command(monkeypatch, model, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="apt install gcc-riscv64-unknown-elf"):
        systems.program(model)
