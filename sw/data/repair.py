"""Byte slips in 16-bit recordings, found and undone.

Some circulating copies of corpora (23 of the 120 TIMIT sample files used here) lost a byte on their way, as a text-mode
transfer does: from there on, low and high bytes are read as each other's, and speech turns into loud noise. The
original is all still there, one byte aside. Each 50 ms is read both ways; the way that is less rough is the right one.
Sound of 8 bits in 16 is left alone: its low bytes say nothing, and one byte aside it would be near silence.
"""

import numpy as np

CHUNK = 800      # samples: 50 ms
SWITCH = 4.0     # log roughness that a change of reading must win back
EVIDENCE = 1.0   # mean log roughness by which the shifted reading must win, where it is chosen
COARSE = 0.98    # share of low bytes of one value that tells 8-bit sound


def byte_slips(wave):
    """Undo byte slips of int16 (samples,); returns (repaired int16, samples that were misread, 0 for a sound file)."""
    chunks = len(wave) // CHUNK - 1
    if chunks < 4:
        return wave, 0
    data = np.ascontiguousarray(wave, "<i2").tobytes()
    readings = [np.frombuffer(data, "<i2"), np.frombuffer(data[1:-1], "<i2")]
    rough = np.array([_roughness(r, chunks) for r in readings])  # (2, chunks)
    chosen = _smoothed(rough)
    shifted = chosen == 1
    if not shifted.any() or (rough[0] - rough[1])[shifted].mean() < EVIDENCE:
        return wave, 0
    if _of_8_bits(readings[0][:chunks * CHUNK].reshape(chunks, CHUNK)[shifted]):
        return wave, 0
    chosen = np.append(chosen, chosen[-1])
    parts, start = [], 0
    for i in range(1, chunks + 1):
        if chosen[i] != chosen[i - 1]:
            at = _edge(readings, chosen[i - 1], chosen[i], i * CHUNK)
            parts.append(readings[chosen[i - 1]][start:at])
            start = at
    parts.append(readings[chosen[-1]][start:])
    return np.concatenate(parts), int(shifted.sum()) * CHUNK


def _roughness(wave, chunks):
    steps = np.abs(np.diff(wave[:chunks * CHUNK + 1].astype(np.float32)))
    return np.log(steps.reshape(chunks, CHUNK).mean(1) + 1)  # (samples,) -> (chunks, 50 ms)


def _of_8_bits(wave):
    """True where the low bytes of int16 (chunks, 50 ms) are a constant, not the high bytes of sound one byte aside."""
    counts = np.bincount((wave & 255).ravel(), minlength=256)
    most = int(counts.argmax())
    if counts[most] >= COARSE * wave.size:
        return True
    # scaled by 32767 in place of 32768, loud samples are one off; so are the high bytes of silence one byte aside,
    # but read in place that is noise, whose steps are larger than its values
    near = counts[[most - 1, most, (most + 1) % 256]].sum()
    values = wave.astype(np.float32)
    return near >= COARSE * wave.size and np.abs(np.diff(values)).mean() < np.abs(values).mean()


def _smoothed(rough):
    """Cheapest sequence of readings, (chunks,) of 0 and 1, where each change costs SWITCH (Viterbi)."""
    cost, back = rough[:, 0] + [0, SWITCH], []
    for column in rough.T[1:]:
        stay = cost <= cost[::-1] + SWITCH
        back.append(np.where(stay, [0, 1], [1, 0]))
        cost = np.where(stay, cost, cost[::-1] + SWITCH) + column
    path = [int(cost.argmin())]
    for pointers in back[::-1]:
        path.append(int(pointers[path[-1]]))
    return np.array(path[::-1])


def _edge(readings, before, after, middle):
    """The sample within one chunk of `middle` at which changing the reading leaves the least roughness."""
    low = middle - CHUNK
    high = min(middle + CHUNK, len(readings[1]) - 1)
    first, second = (np.abs(np.diff(readings[r][low:high + 1].astype(np.float32))) for r in (before, after))
    return low + int((np.cumsum(first) - first + np.cumsum(second[::-1])[::-1]).argmin())
