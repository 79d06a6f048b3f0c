"""Cycle and row-read model: equals the counters of the RTL exactly, frame by frame.

Slots a frame takes, in the sequencer's order: for each group of layer 0, each feature max(1, nonzero digits of its
fuller group), and one to combine, or one a word where that is serial; each scan of a group max(1, visits); one a LIF
word and time step, or two a word where the LIF unit's state is in memory; one to wait before a layer without recurrence
(each group; of layer 0 where combining is serial) and before the FC; each FC pass its scans, but no less than its
predecessor's beats + 1, when the drain holds it up; one to capture the last pass. Where logits leave directly, each
pass takes its scans and its beats, and the last one more. Scans of changes visit what differs from the frame before.
"""

from dataclasses import dataclass

import torch

from hw.interface import WEIGHT_BUFFERS, phases

from .blocks import GROUP_BITS, digits
from .scans import by_change, fc_scans, recurrent_scans


@dataclass(frozen=True)
class Cost:
    """phases: (B, T, P) cycles by `interface.phases(config)`; reads: (B, T, 5) row reads by `WEIGHT_BUFFERS`.

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


def _visited(spikes, mask, before=None, merged=False):
    """Neurons a mask selects: spikes (..., 2, N) -> (..., N) bool; with `before`, those whose spikes changed."""
    if before is not None:
        spikes, before = (pair.int().sum(-2, keepdim=True) if merged else pair for pair in (spikes, before))
        differ = spikes != before
        return differ[..., 0, :] if mask == "STEP0" else differ.any(-2)
    s0, s1 = spikes[..., 0, :], spikes[..., 1, :]
    return {"ALL": torch.ones_like(s0), "UNION": s0 | s1, "STEP0": s0, "STEP1": s1}[mask]


def _scan(spikes, mask, split, before=None, merged=False):
    """Slots (...) and visits of the two halves (..., 2) of one scan of spikes (..., 2, N)."""
    chosen, half = _visited(spikes, mask, before, merged), -(-spikes.shape[-1] // 2)
    halves = torch.stack([chosen[..., :half].sum(-1), chosen[..., half:].sum(-1)], -1)
    return (halves.amax(-1) if split else halves.sum(-1)).clamp_min(1), halves


def _two(spikes):
    """Spikes (..., K, N) with a silent time step 1 added where K = 1."""
    return spikes if spikes.shape[-2] == 2 else torch.cat([spikes, torch.zeros_like(spikes)], -2)


def cycles(config, mode, x, trace):
    """Cost of every frame of `trace`, the result of `run` on x (B, T, F), run as `mode`."""
    x, names = torch.as_tensor(x), phases(config)
    spent = torch.zeros(*x.shape[:2], len(names), dtype=torch.int64)
    reads = torch.zeros(*x.shape[:2], len(WEIGHT_BUFFERS), dtype=torch.int64)

    nonzero = digits(x, config.input_code) != 0  # (B, T, F, 8)
    groups = torch.stack([nonzero[..., :GROUP_BITS].sum(-1), nonzero[..., GROUP_BITS:].sum(-1)], -1)
    if not config.mechanisms.zero_skip_input:
        groups = torch.full_like(groups, GROUP_BITS)
    fuller = groups.amax(-1)  # (B, T, F)
    turns = [-(-layer.neurons // config.lanes) for layer in config.layers]
    spent[..., names.INPUT.value] = turns[0] * fuller.clamp_min(1).sum(-1)
    spent[..., names.COMBINE.value] = config.words_of(0) if config.serial_combine else turns[0]
    reads[..., 0] = turns[0] * (fuller > 0).sum(-1)

    waits = 1
    for k, layer in enumerate(config.layers):
        matrices = [f"L{k}_RECURRENT"] * layer.recurrent + [f"L{k}_FORWARD"] * (k > 0)
        for name in matrices:
            matrix = f"recurrent{k}" if name.endswith("RECURRENT") else f"forward{k}"
            spikes, before = _two(trace.scanned[matrix]), _before(trace, matrix, mode, config)
            for mask, _, split, _ in recurrent_scans(mode, config):
                slots, halves = _scan(spikes, mask, split, before)
                spent[..., names[name].value] += turns[k] * slots
                reads[..., 1:3] += turns[k] * halves
        words = -(-layer.neurons // config.lif_lanes)
        spent[..., names[f"L{k}_LIF"].value] = words * (2 if config.lif_in_memory else mode.time_steps)
        waits += turns[k] * (not layer.recurrent and (k > 0 or config.serial_combine))
    spent[..., names.WAIT.value] = waits
    _fc(config, mode, trace, spent, reads)
    return Cost(spent, reads, ends(config))


def _before(trace, matrix, mode, config):
    """Spikes of the frame before, where a scan visits only what differs from them; else None."""
    return _two(trace.scanned_before[matrix]) if by_change(matrix, mode, config) else None


def ends(config):
    """Cycles of a frame outside its slots: first feature's arrival, last capture, the last pass's beats, a readout."""
    after = config.readout != "logits"
    if config.drain == "direct":  # the last beat leaves in the last slot
        return 1 + after
    per_pass = 2 * config.lanes // config.logits_per_beat
    return 2 + after + config.outputs // config.logits_per_beat - (config.passes - 1) * per_pass


def _fc(config, mode, trace, spent, reads):
    names, spikes, before = phases(config), _two(trace.scanned["fc"]), _before(trace, "fc", mode, config)
    beats = 2 * config.lanes // config.logits_per_beat
    for index in range(config.passes):
        split = config.split_pass and index == config.passes - 1
        slots = 0
        for mask, _ in fc_scans(mode, config):
            scan, halves = _scan(spikes, mask, split, before, merged=mask == "UNION")
            slots = slots + scan
            reads[..., 3:5] += halves if split else halves.sum(-1, keepdim=True)
        spent[..., names.FC.value] += slots
        if config.drain == "direct":
            last = index == config.passes - 1
            spent[..., (names.FINAL if last else names.FC).value] += \
                config.outputs // config.logits_per_beat - index * beats if last else beats
        # The slot after this pass captures it; it waits while the capture before, `slots` slots ago, still drains.
        elif index > 0:
            stall = (beats + 1 - slots).clamp_min(0)
            follower = names.FINAL if index == config.passes - 1 else names.FC
            spent[..., follower.value] += stall
    spent[..., names.FINAL.value] += 1


def fan_out(widths, recurrent):
    """Additions that a spike of each layer causes in the sums of its own layer and the next, the readout's left out."""
    following = [*widths[1:], 0]
    return [own * bool(again) + after for own, again, after in zip(widths, recurrent, following, strict=True)]
