"""Cycle and row-read model: equals the counters of the RTL exactly, frame by frame.

Slots a frame takes, in the sequencer's order (hw/sequencer.py): each feature max(1, nonzero digits of its fuller
group); one to combine; each scan max(1, visits); one a LIF step; one to wait; each FC pass its scans, but no less than
its predecessor's beats + 1, when the drain holds it up; one to capture the last pass.
"""

from dataclasses import dataclass

import torch

from hw.interface import WEIGHT_BUFFERS, Phase

from .blocks import GROUP_BITS, digits
from .scans import fc_scans, recurrent_scans


@dataclass(frozen=True)
class Cost:
    """phases: (B, T, 10) cycles by `Phase`; reads: (B, T, 5) row reads by `WEIGHT_BUFFERS`.

    `interval` is the time from frame to frame in steady state. `latency` runs from the cycle in which a frame's first
    feature is taken to the one in which its last logit leaves, both included, with the machine idle before and ready
    neighbours: it hides nothing.
    """

    phases: torch.Tensor
    reads: torch.Tensor
    ends: int

    @property
    def interval(self):
        return self.phases.sum(-1)

    @property
    def latency(self):
        return self.interval + self.ends


def _visited(spikes, mask):
    """Neurons a mask selects: spikes (..., 2, N) -> (..., N) bool."""
    s0, s1 = spikes[..., 0, :], spikes[..., 1, :]
    return {"ALL": torch.ones_like(s0), "UNION": s0 | s1, "STEP0": s0, "STEP1": s1}[mask]


def _scan(spikes, mask, split, half):
    """Slots (...) and visits of the two halves (..., 2) of one scan."""
    chosen = _visited(spikes, mask)
    halves = torch.stack([chosen[..., :half].sum(-1), chosen[..., half:].sum(-1)], -1)
    return (halves.amax(-1) if split else halves.sum(-1)).clamp_min(1), halves


def _two(spikes):
    """Spikes (..., K, N) with a silent time step 1 added where K = 1."""
    return spikes if spikes.shape[-2] == 2 else torch.cat([spikes, torch.zeros_like(spikes)], -2)


def cycles(config, mode, x, trace):
    """Cost of every frame of `trace`, the result of `run` on x (B, T, F), run as `mode`."""
    x = torch.as_tensor(x)
    phases = torch.zeros(*x.shape[:2], len(Phase), dtype=torch.int64)
    reads = torch.zeros(*x.shape[:2], len(WEIGHT_BUFFERS), dtype=torch.int64)

    nonzero = digits(x, config.input_code) != 0  # (B, T, F, 8)
    groups = torch.stack([nonzero[..., :GROUP_BITS].sum(-1), nonzero[..., GROUP_BITS:].sum(-1)], -1)
    if not config.mechanisms.zero_skip_input:
        groups = torch.full_like(groups, GROUP_BITS)
    fuller = groups.amax(-1)  # (B, T, F)
    phases[..., Phase.INPUT.value] = fuller.clamp_min(1).sum(-1)
    reads[..., 0] = (fuller > 0).sum(-1)

    now, before = _two(trace.spikes), _two(trace.previous)  # (B, T, 2, 2, N)
    for phase, spikes in ((Phase.L0_RECURRENT, before[:, :, 0]), (Phase.L1_RECURRENT, before[:, :, 1]),
                          (Phase.L1_FORWARD, now[:, :, 0])):
        for mask, _, split, _ in recurrent_scans(mode, config):
            slots, halves = _scan(spikes, mask, split, config.half)
            phases[..., phase.value] += slots
            reads[..., 1:3] += halves
    _fc(config, mode, now[:, :, 1], phases, reads)
    for phase in (Phase.L0_LIF, Phase.L1_LIF):
        phases[..., phase.value] = mode.time_steps
    for phase in (Phase.COMBINE, Phase.WAIT):
        phases[..., phase.value] = 1
    return Cost(phases, reads, ends(config))


def ends(config):
    """Cycles of a frame outside its slots: first feature's arrival, last capture, the last pass's beats."""
    per_pass = 2 * config.neurons // config.logits_per_beat
    return 2 + config.outputs // config.logits_per_beat - (config.passes - 1) * per_pass


def _fc(config, mode, spikes, phases, reads):
    beats = 2 * config.neurons // config.logits_per_beat
    for index in range(config.passes):
        split = config.split_pass and index == config.passes - 1
        slots = 0
        for mask, _ in fc_scans(mode, config):
            scan, halves = _scan(spikes, mask, split, config.half)
            slots = slots + scan
            reads[..., 3:5] += halves if split else halves.sum(-1, keepdim=True)
        phases[..., Phase.FC.value] += slots
        # The slot after this pass captures it; it waits while the capture before, `slots` slots ago, still drains.
        if index > 0:
            stall = (beats + 1 - slots).clamp_min(0)
            follower = Phase.FINAL if index == config.passes - 1 else Phase.FC
            phases[..., follower.value] += stall
    phases[..., Phase.FINAL.value] += 1
