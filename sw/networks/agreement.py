"""How far two sets of spike trains agree, and where they part first."""

import numpy as np


def of_layer(found, wanted):
    """Agreement of spikes (B, T, N) bool with the reference's, as plain values.

    bits_equal: share of (clip, frame, neuron) in which both fire or both do not; silence counts, so mind the rates.
    spikes_in_common: spikes of both over spikes of either. rate_agreement: 1 less the sum over neurons of the
    difference of rates over the sum of the reference's rates.
    """
    either = int((found | wanted).sum())
    rates, wanted_rates = found.mean((0, 1)), wanted.mean((0, 1))
    return {"bits_equal": round(float((found == wanted).mean()), 6),
            "spikes_in_common": round(int((found & wanted).sum()) / either, 6) if either else 1.0,
            "rate_agreement": round(1 - float(np.abs(rates - wanted_rates).sum() / max(wanted_rates.sum(), 1e-12)), 6),
            "rate": round(float(rates.mean()), 6), "rate_reference": round(float(wanted_rates.mean()), 6)}


def first_divergence(found, wanted):
    """The earliest frame in which any layer's spikes differ: {frame, layer, neuron, clip} or None.

    `found`, `wanted`: layer name -> (B, T, N) bool, in the order of the layers.
    """
    first = None
    for index, name in enumerate(found):
        clips, frames, neurons = np.nonzero(found[name] != wanted[name])
        if len(frames):
            at = np.lexsort((neurons, clips, frames))[0]
            here = (int(frames[at]), index, name, int(neurons[at]), int(clips[at]))
            first = min(first, here) if first else here
    return first and dict(zip(("frame", "layer", "neuron", "clip"), (first[0], *first[2:]), strict=True))


def of_readout(found, wanted):
    """Logits (B, T, O) of both: the share of clips, and of frames, whose largest logit is the same one."""
    if found.shape[-1] < 2:
        return {}
    return {"same_largest_of_clips": round(float((found.mean(1).argmax(1) == wanted.mean(1).argmax(1)).mean()), 6),
            "same_largest_of_frames": round(float((found.argmax(-1) == wanted.argmax(-1)).mean()), 6),
            "correlation": round(float(np.corrcoef(found.ravel(), wanted.ravel())[0, 1]), 6)
            if found.std() and wanted.std() else 0.0}


def overall(found, wanted):
    """Share of (clip, frame, neuron) of all layers in which both fire or both do not."""
    equal = sum(int((found[name] == wanted[name]).sum()) for name in found)
    return round(equal / sum(spikes.size for spikes in found.values()), 6)
