"""What the outputs stand for: phone x third of its duration x manner of its neighbours, phone x third, or phone.

Output index = (phone * 3 + third) * 16 + 4 * left + right in the `context` layout (40 x 3 x 16 = 1920), and
phone * 3 + third in the `mono` layout (120 of 128; the rest is never a target). In the `ctc` layout it is the phone, or
40 for the blank; its frames' targets are still thirds, from which `sw.phones.ctc` reads the string. Left and right are
the broad classes of `sw.data.phones.BROAD`.
"""

from dataclasses import dataclass

import numpy as np

from sw.data.audio import RATE
from sw.data.phones import BROAD_OF, INDEX, PHONES, STOPS
from sw.features.causal import SHIFT, WINDOW

THIRDS = 3
CLASSES = 4  # broad classes of a neighbour
CONTEXTS = CLASSES ** 2  # of both neighbours
KINDS = {"context": len(PHONES) * THIRDS * CONTEXTS, "mono": len(PHONES) * THIRDS,
         "ctc": len(PHONES) + 1}
CENTRE = WINDOW // 2  # samples from a frame's start to its window's centre


@dataclass(frozen=True)
class Layout:
    """A target set of `kind` on a network of `outputs` outputs; surplus outputs are never targets."""

    kind: str
    outputs: int

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"targets={self.kind!r}: wanted one of {', '.join(KINDS)}")
        if self.outputs < self.classes:
            raise ValueError(f"outputs={self.outputs}: targets {self.kind!r} need {self.classes}")

    @property
    def classes(self):
        """Outputs that stand for something."""
        return KINDS[self.kind]

    def of(self, frames):
        """Frame labels (frames, 4) of `frame_labels` -> output index (frames,) int64."""
        phone, third, left, right = (frames[..., i].astype(np.int64) for i in range(4))
        state = phone * THIRDS + third
        return state if self.kind != "context" else state * CONTEXTS + left * CLASSES + right


def frame_labels(segments, frames):
    """Segments -> uint8 (frames, 4): phone, third, left and right broad class of the segment at each frame's centre."""
    labels = np.zeros((frames, 4), np.uint8)
    silence = INDEX["sil"]
    labels[:] = silence, 1, BROAD_OF[silence], BROAD_OF[silence]
    for i, segment in enumerate(segments):
        first = max(0, -(-(segment.start - CENTRE) // SHIFT))  # first frame whose centre lies inside
        last = min(frames, -(-(segment.end - CENTRE) // SHIFT))
        if last <= first:
            continue
        left = segments[i - 1].phone if i else "sil"
        right = segments[i + 1].phone if i + 1 < len(segments) else "sil"
        count = last - first
        labels[first:last, 0] = INDEX[segment.phone]
        labels[first:last, 1] = (2 * np.arange(count) + 1) * THIRDS // (2 * count)
        labels[first:last, 2:] = BROAD_OF[INDEX[left]], BROAD_OF[INDEX[right]]
    return labels


VOWELS = frozenset(p for p in PHONES if BROAD_OF[INDEX[p]] == 3)
FLAP_S, CLOSURE_S, STEP = 0.05, 0.045, 80


def split_closures(segments, wave):
    """Bring an aligner's CMU-style segments to TIMIT's conventions.

    A stop longer than 45 ms is parted at its steepest rise of energy into closure and release; after a pause the
    closure joins the pause. A short t or d between vowels is a flap. `wave`: float32 (samples,) at 16 kHz.
    """
    energy = np.square(np.diff(wave, prepend=wave[:1])).astype(np.float64)  # differences: voicing weighs less
    result = []
    for i, s in enumerate(segments):
        before = result[-1].phone if result else "sil"
        after = segments[i + 1].phone if i + 1 < len(segments) else "sil"
        seconds = (s.end - s.start) / RATE
        if s.phone in ("t", "d") and before in VOWELS and after in VOWELS and seconds <= FLAP_S:
            result.append(type(s)(s.start, s.end, "dx"))
        elif s.phone in STOPS and seconds > CLOSURE_S:
            at = _release(energy, s.start, s.end)
            if before == "sil" and result:
                result[-1] = type(s)(result[-1].start, at, "sil")
            else:
                result.append(type(s)(s.start, at, "cl"))
            result.append(type(s)(at, s.end, s.phone))
        else:
            result.append(s)
    return result


def _release(energy, start, end):
    """Sample at which the log energy of what follows most exceeds that of what precedes, in 5 ms steps."""
    steps = (min(end, len(energy)) - start) // STEP
    if steps < 6:
        return start + (end - start) // 2
    log = np.log(energy[start:start + steps * STEP].reshape(steps, STEP).mean(1) + 1e-10)
    rise = [log[j:j + 3].mean() - log[max(0, j - 4):j].mean() for j in range(3, steps - 2)]
    return start + STEP * (3 + int(np.argmax(rise)))
