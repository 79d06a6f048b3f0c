"""A network of four neurons, worked by hand over two frames; then what must hold for any network."""

import pytest
import torch

from hw import config as configs
from hw.interface import MODES, WEIGHT_BUFFERS, Phase
from sw import golden
from sw.integers.integer_model import IntegerModel

FOUR = configs.from_dict({"name": "four", "features": 2, "input_rows": 2, "neurons": 8, "outputs": 8, "load_bits": 32,
                          "accumulator_bits": 10, "logits_per_beat": 4})
TINY = configs.load("tiny")


def hand_model():
    """Feature 0 drives neuron 0, feature 1 neuron 7; L0 neuron 0 excites itself; L1 repeats L0; logits count spikes."""
    zero = torch.zeros(8, 8, dtype=torch.int32)
    drive = torch.zeros(2, 8, dtype=torch.int32)
    drive[0, 0], drive[1, 7] = 4, 4
    recurrent0 = zero.clone()
    recurrent0[0, 0] = 3
    return IntegerModel(FOUR, [drive, recurrent0, 7 * torch.eye(8, dtype=torch.int32), zero.clone(),
                               torch.arange(-4, 4, dtype=torch.int32).repeat(8, 1)], torch.tensor([160, 112]))


def test_two_frames_by_hand():
    # frame 0: x0 = 24 -> current 6, u = 96 (silent), then 96 - 24 + 96 = 168 >= 160: fires in step 1
    #          x1 = 40 -> current 10 = 160: fires in both steps
    # frame 1: no input; neuron 0 gets 3 from its own spike of step 1 of the frame before: u = 0, then 48
    x = torch.tensor([[[24, 40], [0, 0]]])
    trace = golden.run(hand_model(), x)
    assert trace.current[0, :, [0, 7]].tolist() == [[6, 10], [0, 0]]
    assert trace.currents[0, 1, 0, :, 0].tolist() == [0, 3]
    assert trace.potentials[0, :, 0, :, 0].tolist() == [[96, 0], [0, 48]]
    assert trace.spikes[0, 0, :, :, 0].int().tolist() == [[0, 1], [0, 1]]  # L1 as L0: 7 x 16 = 112
    assert trace.spikes[0, 0, :, :, 7].int().tolist() == [[1, 1], [1, 1]]
    assert not trace.spikes[0, 1].any()
    assert trace.logits[0].tolist() == [[3 * w for w in range(-4, 4)], [0] * 8]


def test_cost_of_the_first_frame_by_hand():
    x = torch.tensor([[[24, 40], [0, 0]]])
    cost = golden.cycles(FOUR, MODES["t2_union"], x, golden.run(hand_model(), x))
    # 24 = 16 + 8 one digit in each group, 40 = 32 + 8 likewise; one shared group: halves {0} and {7} side by side,
    # 2 beats a group, no pass before it to wait for
    expected = {Phase.INPUT: 2, Phase.COMBINE: 1, Phase.L0_RECURRENT: 1, Phase.L0_LIF: 2, Phase.L1_RECURRENT: 1,
                Phase.L1_FORWARD: 2, Phase.L1_LIF: 2, Phase.WAIT: 1, Phase.FC: 1, Phase.FINAL: 1}
    assert cost.phases[0, 0].tolist() == [expected[phase] for phase in Phase]
    reads = {"input": 2, "recurrent0": 1, "recurrent1": 1, "fc0": 1, "fc1": 1}
    assert cost.reads[0, 0].tolist() == [reads[name] for name in WEIGHT_BUFFERS]
    # frame 1: L0 and L1 each read the rows of neurons 0 and 7, which fired before; nothing new fires
    assert cost.reads[0, 1].tolist() == [0, 2, 2, 0, 0]


def random_case(config, seed, batch=3, frames=6):
    g = torch.Generator().manual_seed(seed)

    def matrix(rows, columns):
        return torch.randint(-8, 8, (rows, columns), generator=g, dtype=torch.int32)

    c, n = config, config.neurons
    model = IntegerModel(c, [matrix(c.features, n), matrix(n, n), matrix(n, n), matrix(n, n), matrix(n, c.outputs)],
                         torch.tensor([300, 100]))
    return model, torch.randint(-128, 128, (batch, frames, c.features), generator=g, dtype=torch.int32)


@pytest.mark.parametrize("steps", [1, 2])
def test_utterances_do_not_mix_and_state_continues(steps):
    model, x = random_case(TINY, 1)
    whole = golden.run(model, x, steps)
    assert whole.spikes.float().mean() > 0.05
    alone = golden.run(model, x[1:2], steps)
    assert torch.equal(whole.logits[1:2], alone.logits) and torch.equal(whole.potentials[1:2], alone.potentials)
    head = golden.run(model, x[:, :2], steps)
    tail = golden.run(model, x[:, 2:], steps, head.state)
    assert torch.equal(torch.cat([head.logits, tail.logits], 1), whole.logits)


def test_wrong_shape_is_refused():
    model, x = random_case(TINY, 2)
    with pytest.raises(ValueError, match=r"\(3, 6, 9\), wanted \(utterances, frames, 10\)"):
        golden.run(model, x[..., :9])


def listed_cost(config, mode, x, trace, frame):
    """Slots and visits of one frame's scans, counted off the lists of the visit orders."""
    now, before = trace.spikes[0, frame], trace.previous[0, frame]  # (2, K, N)
    if now.shape[1] == 1:
        now, before = (torch.cat([s, torch.zeros_like(s)], 1) for s in (now, before))
    slots = {Phase.INPUT: len(golden.input_scan(x[0, frame], config))}
    reads = [sum(read for _, read, _ in golden.input_scan(x[0, frame], config)), 0, 0, 0, 0]
    for phase, spikes in ((Phase.L0_RECURRENT, before[0]), (Phase.L1_RECURRENT, before[1]),
                          (Phase.L1_FORWARD, now[0])):
        slots[phase] = 0
        for mask, gate, split, _ in golden.scans.recurrent_scans(mode, config):
            scan = golden.zero_skip(spikes, mask, gate, split)
            slots[phase] += len(scan)
            for rows, _ in scan:
                for half, row in enumerate(rows):
                    reads[1 + half] += row is not None
    return slots, reads


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("skip", [True, False])
def test_cycle_model_counts_what_the_visit_orders_list(mode, skip):
    mechanisms = {name: skip for name in ("zero_skip_input", "zero_skip_recurrent", "union_skip")}
    c = configs.from_dict({**TINY.to_dict(), "mechanisms": mechanisms})
    model, x = random_case(c, 3, batch=1)
    trace = golden.run(model, x, MODES[mode].time_steps)
    cost = golden.cycles(c, MODES[mode], x, trace)
    for frame in range(x.shape[1]):
        slots, reads = listed_cost(c, MODES[mode], x, trace, frame)
        assert {phase: int(cost.phases[0, frame, phase.value]) for phase in slots} == slots
        assert cost.reads[0, frame, :3].tolist() == reads[:3]


def test_parallel_time_steps_halve_recurrent_reads():
    model, x = random_case(TINY, 4)
    trace = golden.run(model, x)
    reads = {name: golden.cycles(TINY, MODES[name], x, trace).reads[..., 1:3].sum() for name in (
        "t2_sequential", "t2_merged", "t2_union")}
    assert reads["t2_sequential"] == 2 * reads["t2_merged"] and reads["t2_union"] < reads["t2_merged"]
