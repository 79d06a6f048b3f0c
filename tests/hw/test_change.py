"""Kept sums in whole small machines: every mode in every shape; modes, loads, clears and resets in between; stalls."""

import dataclasses
import random

import pytest
import torch
from hw_bench import lanes, simulate
from small_machine import check, network

from hw import config as configs
from hw.accelerator import Accelerator
from hw.interface import ALL_MODES, Buffer, Register
from sw import golden
from sw.integers import images

BASE = {"version": 2, "name": "change", "features": 4, "lanes": 8, "outputs": 24, "load_bits": 32,
        "logits_per_beat": 4}
KEPT = {"serial_combine": True, "drain": "direct", "readout_on_change": True}


def two(first=8, last=8, **more):
    return [{"neurons": first, "on_change": True, **more}, {"neurons": last, "on_change": True}]


SHAPES = {
    "layer 1 alone": ([{"neurons": 8}, {"neurons": 8, "on_change": True}], {}),
    "layers 0 and 1": (two(), {"serial_combine": True}),
    "readout alone": ([{"neurons": 8}, {"neurons": 7}], {"drain": "direct", "readout_on_change": True, "outputs": 36}),
    "everything": (two(), KEPT),
    "two of four": (two(), KEPT | {"fc_two_of_four": True}),
    "two of four, groups": (two(20, 11), KEPT | {"lif_lanes": 4, "fc_two_of_four": True, "outputs": 28, "lanes": 16}),
    "groups": (two(20, 11), KEPT | {"lif_lanes": 4}),
    "delays": ([{"neurons": 20, "on_change": True, "delays": {"forward": 2, "recurrent": 3}},
                {"neurons": 11, "on_change": True, "delays": {"recurrent": 1}}],
               KEPT | {"lif_lanes": 4, "readout_delay": 2}),
    "feed-forward": ([{"neurons": 20, "recurrent": False}, {"neurons": 11, "recurrent": False, "on_change": True}],
                     KEPT | {"lif_lanes": 4, "outputs": 16}),
    "three layers, one kept": ([{"neurons": 8}, {"neurons": 5, "on_change": True}, {"neurons": 9}], {"lif_lanes": 4}),
    "synapses, tables": (two(threshold="neuron", bias=True, synapse_shift=2), KEPT | {"lif_lanes": 4}),
    "one beat": (two(), KEPT | {"outputs": 8, "logits_per_beat": 8}),
    "odd beats": (two(), KEPT | {"outputs": 20}),
    "serial combine": ([{"neurons": 20}, {"neurons": 8}], {"serial_combine": True, "lif_lanes": 4}),
    "serial combine, feed-forward": ([{"neurons": 20, "recurrent": False}, {"neurons": 8}],
                                     {"serial_combine": True, "lif_lanes": 4}),
    "step difference": ([{"neurons": 8}, {"neurons": 8}], {"serial_combine": True, "step_difference": True}),
    "step difference, groups": ([{"neurons": 20}, {"neurons": 11, "synapse_shift": 2}],
                                {"serial_combine": True, "step_difference": True, "lif_lanes": 4}),
    "step difference, readout on change": ([{"neurons": 9, "recurrent": False}, {"neurons": 8}],
                                           KEPT | {"step_difference": True}),
    "argmax": ([{"neurons": 8}, {"neurons": 8}], {"readout": "argmax", "readout_outputs": 21}),
    "argmax, one output": ([{"neurons": 8}, {"neurons": 8}],
                           {"readout": "argmax", "readout_outputs": 1, "drain": "direct"}),
    "sum": ([{"neurons": 8}, {"neurons": 8}], {"readout": "sum"}),
    "sum on change": (two(), KEPT | {"readout": "sum", "readout_outputs": 18, "logits_per_beat": 2}),
    "direct drain": ([{"neurons": 8}, {"neurons": 8}], {"drain": "direct"}),
    "direct drain, even groups": ([{"neurons": 8}, {"neurons": 8}], {"drain": "direct", "outputs": 32}),
}


def config(shape, **more):
    layers, changes = SHAPES[shape]
    return configs.from_dict({**BASE, "layers": layers, **changes, **more})


def cases():
    """Every shape in every mode that its hardware knows. Fast: one mode a shape, changes of two steps where sums are
    kept and else the modes in turn, and changes of one step once.
    """
    for i, (shape, (layers, more)) in enumerate(SHAPES.items()):
        keeps = more.get("readout_on_change") or any(layer.get("on_change") for layer in layers)
        for k, mode in enumerate(ALL_MODES):
            fast = mode == "t2_change" if keeps else i % len(ALL_MODES) == k
            fast |= (shape, mode) == ("everything", "t1_change")
            yield pytest.param(shape, mode, marks=[] if fast else pytest.mark.slow)


@pytest.mark.parametrize(("shape", "mode"), list(cases()))
def test_equals_golden(shape, mode):
    trace = check(config(shape), ALL_MODES[mode], seed=4, frames=8)
    assert trace.spikes.any((0, 1, 3, 4)).all()  # every layer says something


def test_spikes_that_stay_are_not_visited():
    """Every neuron fires at every time step: once that is so, no row of any kept matrix is read."""
    c = config("everything")
    model, _ = network(c, 3, 12)
    model = dataclasses.replace(model, thresholds=torch.tensor([1, 1]), matrices={
        name: matrix if name == "fc" else torch.full_like(matrix, 7) for name, matrix in model.matrices.items()})
    x = torch.full((1, 6, c.features), 100)
    trace = golden.run(model, x, 2)
    assert trace.spikes.all()
    union, change = (golden.cycles(c, ALL_MODES[name], x, trace) for name in ("t2_union", "t2_change"))
    assert not change.reads[0, 2:, 1:].any() and (union.reads[0, 2:, 1:].sum(-1) == 48).all()
    script = [("load", list(images.load_words(model, ALL_MODES["t2_change"]))), ("frames", x[0])]
    assert play(c, script) == trace.logits[0].tolist()


# --- what happens between frames ---------------------------------------------------------------------------------

FIELDS = ("buffer", "row", "slice", "data")


def play(c, script, stalls=0):
    """Logits of all frames of a script of ("load", words), ("frames", x (T, F)), ("reset", None)."""
    dut, frames = Accelerator(config=c), []
    total = sum(len(what) for kind, what in script if kind == "frames")
    pause = random.Random(stalls)

    async def feed(ctx):
        async def send(port, payloads):
            for payload in payloads:
                while stalls and port is dut.x and pause.random() < 0.3:
                    ctx.set(port.valid, 0)
                    await ctx.tick()
                ctx.set(port.valid, 1)
                ctx.set(port.payload, payload)
                await ctx.tick().until(port.ready)
            ctx.set(port.valid, 0)

        for kind, what in script:
            if kind == "load":
                await send(dut.load, [dict(zip(FIELDS, word, strict=True)) for word in what])
            else:
                await send(dut.x, what.flatten().tolist())

    async def drain(ctx):
        for _ in range(total):
            frame, last = [], False
            while not last:
                ctx.set(dut.logits.ready, not (stalls and pause.random() < 0.5))
                *_, beat, ready, valid = await ctx.tick().sample(
                    dut.logits.payload, dut.logits.ready, dut.logits.valid)
                if ready and valid:
                    frame, last = frame + lanes(beat["values"]), beat.last
            frames.append(frame)

    simulate(dut, feed, drain)
    return frames


def of_steps(state, steps):
    """A state for another number of time steps: of a frame of one, the spikes of step 1 are none."""
    spikes = [torch.nn.functional.pad(s, (0, 0, 0, steps - s.shape[2])) if s.shape[2] < steps else s[:, :, :steps]
              for s in state.spikes]
    return dataclasses.replace(state, spikes=spikes)


def expect(parts):
    """Logits of (model, x (T, F), time steps, clear before): one run that goes on."""
    state, logits = None, []
    for model, x, steps, clear in parts:
        state = None if clear or state is None else of_steps(state, steps)
        trace = golden.run(model, x[None], steps, state)
        state, logits = trace.state, logits + trace.logits[0].tolist()
    return logits


def mode_word(name):
    return [(Buffer.REGISTER.value, Register.MODE.value, 0, ALL_MODES[name].bits)]


CLEAR = [(Buffer.REGISTER.value, Register.CLEAR.value, 0, 1)]


FOLLOWS = [("t2_change", "t1_change", "t2_change"), ("t1_change", "t2_change", "t1_change"),
           ("t2_union", "t2_change", "t2_sequential"), ("t2_change", "t2_unmerged", "t2_change"),
           ("t2_change", "t1", "t2_change"), ("t1", "t1_change", "t2_merged")]


@pytest.mark.parametrize(("names", "stalls"), [
    pytest.param(names, stalls, marks=[] if i % 3 == stalls else pytest.mark.slow)  # fast: each order, each stalling
    for i, names in enumerate(FOLLOWS) for stalls in range(3)])
def test_modes_follow_each_other(names, stalls):
    model, x = network(config("everything"), 4, 9)
    script, parts = [("load", list(images.load_words(model, ALL_MODES[names[0]])))], []
    for i, name in enumerate(names):
        piece = x[0, 3 * i:3 * i + 3]
        script += [("load", mode_word(name)), ("frames", piece)]
        parts.append((model, piece, ALL_MODES[name].time_steps, False))
    assert play(config("everything"), script, stalls) == expect(parts)


@pytest.mark.parametrize("shape", ["everything", "groups", "layer 1 alone", "readout alone"])
@pytest.mark.parametrize("clear", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_other_weights_make_kept_sums_anew(shape, clear):
    c = config(shape)
    model, x = network(c, 4, 6)
    other = dataclasses.replace(network(c, 6)[0], thresholds=model.thresholds, neurons=model.neurons)
    words = [word for word in images.load_words(other, ALL_MODES["t2_change"]) if word[0] < Buffer.REGISTER.value]
    script = [("load", list(images.load_words(model, ALL_MODES["t2_change"]))), ("frames", x[0, :3]),
              ("load", words + CLEAR * clear), ("frames", x[0, 3:])]
    assert play(c, script) == expect([(model, x[0, :3], 2, True), (other, x[0, 3:], 2, clear)])


def test_a_clear_alone_makes_kept_sums_anew():
    c = config("everything")
    model, x = network(c, 4, 6)
    script = [("load", list(images.load_words(model, ALL_MODES["t2_change"]))), ("frames", x[0, :3]),
              ("load", CLEAR), ("frames", x[0, 3:])]
    assert play(c, script) == expect([(model, x[0, :3], 2, True), (model, x[0, 3:], 2, True)])


@pytest.mark.parametrize("buffer", [1, 2, 3, 4])
def test_one_word_of_weights_is_enough(buffer):
    """A single word of either bank of either memory, and no clear."""
    c = config("everything")
    model, x = network(c, 4, 6)
    first = next(w for w in images.load_words(model, ALL_MODES["t2_change"]) if w[0] == buffer)
    word = (*first[:3], first[3] ^ 0x3)  # lane 0 of that row
    script = [("load", list(images.load_words(model, ALL_MODES["t2_change"]))), ("frames", x[0, :3]),
              ("load", [word]), ("frames", x[0, 3:])]
    row, column, name = {1: (0, 0, "recurrent0"), 2: (4, 0, "recurrent0"), 3: (0, 0, "fc"), 4: (0, 8, "fc")}[buffer]
    matrix = model.matrices[name].clone()
    matrix[row, column] = (int(matrix[row, column]) & 0xf ^ 3 ^ 8) - 8
    other = dataclasses.replace(model, matrices=model.matrices | {name: matrix})
    assert play(c, script) == expect([(model, x[0, :3], 2, True), (other, x[0, 3:], 2, False)])


@pytest.mark.parametrize(("changes", "message"), [
    ({"layers": [{"neurons": 8, "on_change": True}, {"neurons": 8}]}, "layers.0..on_change=True.*serial_combine: true"),
    ({"layers": [{"neurons": 8, "recurrent": False, "on_change": True}], "serial_combine": True},
     "layers.0..on_change=True.*recurrent layer"),
    ({"layers": two(), "readout_on_change": True, "serial_combine": True}, "readout_on_change=True.*drain: direct"),
    ({"layers": two(), "serial_combine": True, "mechanisms": {"union_skip": False}}, "mechanisms='union_skip'"),
    ({"layers": [{"neurons": 8}], "drain": "sideways"}, "drain='sideways': wanted one of buffered, direct"),
])
def test_refused(changes, message):
    with pytest.raises(configs.ConfigError, match=message):
        configs.from_dict(BASE | changes)
