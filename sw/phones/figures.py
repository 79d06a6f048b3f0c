"""A recogniser's figures over a list of utterances: errors, frame accuracy, sparsity, work and cycles."""

from collections import Counter

import numpy as np
import torch

from sw.data.phones import PHONES
from sw.golden import digits
from sw.phones import score

FRAMES_A_SECOND = 100
CODES = ("signed_digit", "sign_magnitude", "twos_complement")


def phones_of(logits, log_prior, layout):
    """Most probable phone of each frame, all its outputs summed: logits (frames, outputs) -> (frames,)."""
    scores = (torch.from_numpy(logits) + torch.from_numpy(log_prior))[:, :layout.classes]
    return scores.unflatten(-1, (len(PHONES), -1)).logsumexp(-1).argmax(-1).numpy()


def measure(answers, references, labels, xs, viterbi, config):
    """Score answers against phone strings `references` [(phones, closures)] and frame labels (frames, 4).

    `viterbi()` makes a decoder. Returns a dict of plain values; sparsities are shares of zeros.
    """
    errors, right, frames, zeros, evaluated = score.Errors(), 0.0, 0, Counter(), Counter()
    cycles, work = {}, 0.0
    for answer, (phones, closures), label, x in zip(answers, references, labels, xs, strict=True):
        decoder = viterbi()
        decoder.push(answer.logits)
        heard = score.folded([p for p, _, _ in decoder.trace()], closures)
        errors += score.align(score.folded(phones, closures), heard)
        if decoder.layout.kind != "ctc":  # whose frames are mostly blank
            guessed = phones_of(answer.logits[decoder.delay:], decoder.log_prior, decoder.layout)
            right += score.frame_accuracy(guessed, label[:, 0]) * len(label)
        frames += len(label)
        if answer.spikes:
            for i, spikes in enumerate(answer.spikes):  # (frames, K, N_l)
                zeros[i] += int((~spikes).sum())
                evaluated[i] += spikes.size
            work += operations(answer, x, config)
            for name, count in answer.cycles.items():
                cycles.setdefault(name, []).append(count)
    bits = {code: _zero_share(xs, code) for code in CODES}
    result = {"per": round(errors.rate, 2), "errors": {f: getattr(errors, f) for f in errors.__dataclass_fields__},
              "frame_accuracy": round(right / frames, 2) if right else None,
              "bit_sparsity": round(bits[config.input_code], 4),
              "bit_sparsity_by_code": {k: round(v, 4) for k, v in bits.items()}, "utterances": len(references)}
    if evaluated:
        result["spike_sparsity"] = [round(zeros[i] / evaluated[i], 4) for i in sorted(zeros)]
        result["mmac_per_s"] = round(work / frames * FRAMES_A_SECOND / 1e6, 2)
        result["cycles_by_mode"] = {k: round(float(np.concatenate(v).mean()), 1) for k, v in cycles.items()}
        result["cycles_per_frame"] = next(reversed(result["cycles_by_mode"].values()), None)
    return result


def operations(answer, x, config):
    """Accumulations of an utterance: weight x (digit, spike or merged spike), zeros left out.

    Input digits are counted one by one, as the array visits them; a merged spike of two time steps counts once.
    """
    spikes = answer.spikes
    nonzero = int((digits(torch.from_numpy(x).to(torch.int32), config.input_code) != 0).sum())
    hidden = sum(int(s.sum()) * fan for s, fan in zip(spikes, answer.fan_out, strict=True))
    merged = int(spikes[-1].any(1).sum())
    return spikes[0].shape[-1] * nonzero + hidden + config.outputs * merged


def _zero_share(xs, code):
    x = torch.from_numpy(np.concatenate(xs)).to(torch.int32)
    return float((digits(x, code) == 0).float().mean())
