"""Buses under random software, and that each of their blocks, broken, is found out."""

import pytest

pytest.importorskip("systemrdl", reason="pip install 'sottovoce[system]'")
pytest.importorskip("cocotbext.axi", reason="pip install 'sottovoce[system]'")
from test_mutations import ROOT, run_mutant  # noqa: E402

from cosim import system  # noqa: E402
from hw import config as configs  # noqa: E402

pytestmark = pytest.mark.timeout(1800)  # builds simulators: long on a busy machine

MUTATIONS = [  # file, text, its mutation, bench that must fail, its words; the first in the fast suite
    ("peripheral", "flying + frames.complete - left", "flying + frames.complete", "bus_wishbone", "frames in flight"),
    ("frame_buffer", "self.complete.eq(take & full & closes", "self.complete.eq(take & closes", "bus_axi", ""),
    ("peripheral", "(row < rows)", "(row <= rows)", "bus_wishbone", "reply, target"),
    ("peripheral", "(part < slices)", "1", "bus_axi", "reply, target"),
    ("peripheral", "loadable.eq(~busy & core.load.ready)", "loadable.eq(1)", "bus_axi", "reply, busy"),
    ("peripheral", "(port.data >= 1) & (port.data <= limit)", "(port.data <= limit)", "bus_wishbone", "reply, value"),
    ("peripheral", "index == c.logits_per_beat - 1", "index == c.logits_per_beat - 2", "bus_wishbone", "status"),
    ("peripheral", "port.read_error.eq(~waiting", "port.read_error.eq(0 & ~waiting", "bus_wishbone", "status.results"),
    ("peripheral", "(streaming | ~frames.words.ready)", "streaming", "bus_wishbone", "reply, overrun"),
    ("register_block", "value & ~Mux(written, data, 0)", "value", "bus_wishbone", "errors"),
    ("register_block", "aligned & found & ~right_way", "0", "bus_wishbone", "reply, access"),
    ("register_block", "aligned.eq(request.whole &", "aligned.eq(1 &", "bus_wishbone", "reply, alignment"),
    ("frame_buffer", "word_select(index[:2]", "word_select(~index[:2]", "bus_axi", "logit"),
    ("axi", "m_axis_tlast.eq(inner.logits.p.last)", "m_axis_tlast.eq(0)", "bus_axi", "no answer"),
    ("axi", '"rresp": request.reply', '"rresp": 0', "bus_axi", "reply,"),
    ("wishbone", "request.done & ~okay", "0", "bus_wishbone", "Timeout"),
]


@pytest.mark.parametrize(("block", "text", "mutation", "test", "says"), [
    pytest.param(*mutation, id=f"{mutation[0]}-{index}", marks=[pytest.mark.slow] if index else [])
    for index, mutation in enumerate(MUTATIONS)])
def test_bench_finds_the_broken_block(tmp_path, block, text, mutation, test, says):
    run = run_mutant(tmp_path, ROOT / "hw" / "bus" / f"{block}.py", text, mutation, test)
    failures = [line for line in run.stdout.splitlines() if "FAILED" in line]
    assert run.returncode == 1, run.stdout + run.stderr
    assert any(says in line for line in failures), run.stdout + run.stderr


@pytest.mark.slow
@pytest.mark.parametrize("bus", system.BUSES)
def test_ten_thousand_transactions(bus):
    row = system.row(bus, configs.load("tiny"), 10_000, seed=2)
    assert row["bus_transactions"] >= 10_000 and row["resets"] >= 5 and row["refused"] >= 100
    assert row["hangs"] == row["wrong_logits"] == row["differences"] == 0


SHAPES = {
    "one logit a beat, full words": "features: 12\ninput_rows: 12\nneurons: 32\noutputs: 40\naccumulator_bits: 12\n"
                                    "logits_per_beat: 1\nload_bits: 32\n",
    "three layers, tables of neurons": "version: 2\nfeatures: 10\ninput_rows: 12\nlanes: 16\noutputs: 32\n"
                                       "layers: [{neurons: 16, threshold: neuron, bias: true}, {neurons: 24, "
                                       "leak_shift: neuron}, {neurons: 16, recurrent: false}]\n"
                                       "accumulator_bits: 12\nlogits_per_beat: 8\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("bus", system.BUSES)
@pytest.mark.parametrize("shape", SHAPES)
def test_other_shapes(bus, shape, tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("name: own\n" + SHAPES[shape])
    assert system.row(bus, configs.load(path), 4000, seed=3)["differences"] == 0
