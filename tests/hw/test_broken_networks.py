"""One wrong line in the hardware of every new dimension, and the shape of `test_networks` that must notice."""

import importlib
import inspect
import types

import pytest
from small_machine import check, network, run
from test_networks import config

from hw.interface import MODES
from sw import golden

BROKEN = [  # block, its line, the same line broken, shape, mode
    ("lif", 'Mux(field["leak"] == 0, 0,', 'Mux(field["leak"] == 7, 0,', "thresholds, leaks, biases a neuron", "t1"),
    ("lif", 'added + field["bias"] if', "added if", "a table for one layer", "t1"),
    ("lif", 'value.as_signed() if name == "bias"', 'value if name == "bias" and False', "LIF in memory", "t1"),
    ("lif", "waiting[step] if first < early", "waiting[step] if first < 0", "groups", "t2_union"),
    ("lif", "int(not kept)", "int(kept)", "resets and persistence differ", "t1"),
    ("lif", "rest[layer.reset] for layer", 'rest["zero"] for layer', "resets and persistence differ", "t2_union"),
    ("lif", "i - (i >> shift) if shift", "i - (i >> 1) if shift", "synapses", "t1"),
    ("lif", "[chunk * c.lif_lanes + lane]", "[lane]", "LIF lanes", "t1"),
    ("lif", "self.stored.row.eq(self.word)", "self.stored.row.eq(self.word ^ 1)", "LIF in memory", "t2_union"),
    ("spike_select", "[:c.delays()[matrix][1] + 1]", "[1:c.delays()[matrix][1] + 1]", "delays", "t1"),
    ("spike_select", "older.eq(newer)", "older.eq(self.spikes[2 * layer])", "delays", "t2_union"),
    ("spike_select", "(self.row == row)", "(self.row == row % 2)", "delays and groups", "t1"),
    ("spike_select", "Const((1 << n) - 1, n)", "Const((1 << n) - 2, n)", "fewer neurons than lanes", "t2_merged"),
    ("spike_select", "Const(0, self.config.half - low), ", "", "fewer neurons than lanes", "t2_union"),
    ("program", "if not layer.recurrent and", "if False and", "feed-forward", "t2_union"),
    ("program", "input_base=g * config.input_rows", "input_base=0", "groups", "t1"),
    ("program", "clear=k > 0 and b is blocks[0]", "clear=k > 0", "groups", "t1"),
    ("sequencer", "c.half_of(len(c.layers) - 1)", "c.half", "fewer neurons than lanes", "t2_union"),
    ("sequencer", "issue.store.eq(self.step)", "issue.store.eq(0)", "LIF in memory", "t1"),
    ("sequencer", "self.pass_ * c.last.neurons", "self.pass_ * c.lanes", "three layers of different widths", "t1"),
]


def break_line(monkeypatch, block, line, broken):
    """Every module that uses the block gets it with that line broken."""
    module = importlib.import_module(f"hw.{block}")
    source = inspect.getsource(module)
    assert line in source
    other = types.ModuleType(module.__name__)
    other.__package__ = "hw"
    exec(compile(source.replace(line, broken), module.__file__, "exec"), other.__dict__)
    for user in (importlib.import_module(f"hw.{name}") for name in ("accelerator", "sequencer", "spike_select")):
        for name in ("Lif", "SpikeSelect", "Sequencer", "program", "ZeroSkip", "KeptSums", "DirectDrain"):
            if name in other.__dict__ and getattr(user, name, None) is getattr(module, name):
                monkeypatch.setattr(user, name, other.__dict__[name])


@pytest.mark.slow
@pytest.mark.parametrize(("block", "line", "broken", "shape", "mode"), BROKEN)
def test_is_noticed(block, line, broken, shape, mode, monkeypatch):
    break_line(monkeypatch, block, line, broken)
    with pytest.raises(AssertionError):
        check(config(shape), MODES[mode], seed=3, frames=6 if "delays" in shape else 3)


@pytest.mark.slow
def test_a_clear_that_leaves_a_memory_is_noticed(monkeypatch):
    break_line(monkeypatch, "lif", "fresh.eq(~0)", "fresh.eq(fresh)")
    model, x = network(config("LIF in memory"), 5, frames=2)
    logits = golden.run(model, x, 2).logits[0].tolist()
    assert run(model, MODES["t2_union"], x, times=2)[0] != 2 * logits
