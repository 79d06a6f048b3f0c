"""Visit orders of the zero-skipping unit: what types A, B, C and D broadcast, slot by slot, for one frame.

Plain lists for the block benches; the cycle model counts the same visits without listing them.
"""

from hw.interface import Recurrent

from .blocks import GROUP_BITS, digits


def input_scan(x, config):
    """Type A: x (F,) -> one entry a slot: (feature, read, ((gate, shift, negate) of PE set 0, of PE set 1))."""
    slots = []
    for feature, word in enumerate(digits(x, config.input_code).tolist()):
        groups = [word[k * GROUP_BITS:(k + 1) * GROUP_BITS] for k in range(2)]
        skip = config.mechanisms.zero_skip_input
        order = [[i for i, d in enumerate(group) if d or not skip] for group in groups]
        for slot in range(max(1, *(len(o) for o in order))):
            sets = []
            for group, places in zip(groups, order, strict=True):
                place = places[slot] if slot < len(places) else None
                digit = group[place] if place is not None else 0
                sets.append((int(digit != 0), place if digit else 0, int(digit < 0)))
            slots.append((feature, slot == 0 and (any(word) or not skip), tuple(sets)))
    return slots


def zero_skip(spikes, mask, gate, split):
    """Types B, C, D: spikes (2, N) -> one entry a slot: for each half the visited row or None, and for each
    PE set (gate, double). `mask` and `gate` are the names of `hw.types.Mask` and `Gate`.
    """
    s = spikes.int().tolist()
    n = len(s[0])
    half = -(-n // 2)
    wanted = {"ALL": lambda i: True, "UNION": lambda i: s[0][i] or s[1][i],
              "STEP0": lambda i: s[0][i], "STEP1": lambda i: s[1][i]}[mask]
    halves = [[i for i in range(h * half, min(n, (h + 1) * half)) if wanted(i)] for h in range(2)]
    if split:
        length = max(1, len(halves[0]), len(halves[1]))
        visits = [[h[i] if i < len(h) else None for h in halves] for i in range(length)]
        neurons = visits
    else:
        joint = halves[0] + halves[1] or [None]
        visits = [[i if i is not None and i < half else None, i if i is not None and i >= half else None]
                  for i in joint]
        neurons = [[i, i] for i in joint]
    slots = []
    for rows, pair in zip(visits, neurons, strict=True):
        sets = []
        for k, neuron in enumerate(pair):
            s0, s1 = (s[0][neuron], s[1][neuron]) if neuron is not None else (0, 0)
            opened = {"OWN": s1 if k else s0, "STEP0": s0, "STEP1": s1, "MERGED": s0 | s1}[gate]
            sets.append((opened, s0 & s1 if gate == "MERGED" else 0))
        slots.append((tuple(None if r is None else r % half for r in rows), tuple(sets)))
    return slots


def recurrent_scans(mode, config):
    """(mask, gate, split, PE sets) of the scans of one recurrent matrix, in order."""
    mode = mode.built(config)
    if not mode.two_steps:
        return [("STEP0" if config.mechanisms.zero_skip_recurrent else "ALL", "STEP0", True, (0, 1))]
    if mode.recurrent is Recurrent.SEQUENTIAL:
        return [("ALL", "OWN", False, (step,)) for step in range(2)]
    return [("UNION" if mode.recurrent is Recurrent.UNION else "ALL", "OWN", False, (0, 1))]


def fc_scans(mode, config):
    """(mask, gate) of the scans of one FC pass, in order."""
    mode = mode.built(config)
    if mode.two_steps and mode.merge:
        scans = [("UNION", "MERGED")]
    else:
        scans = [(f"STEP{k}", f"STEP{k}") for k in range(mode.time_steps)]
    return scans if config.mechanisms.zero_skip_fc else [("ALL", gate) for _, gate in scans]
