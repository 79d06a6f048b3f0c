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
    wanted = {"ALL": lambda i: True, "UNION": lambda i: s[0][i] or s[1][i],
              "STEP0": lambda i: s[0][i], "STEP1": lambda i: s[1][i]}[mask]

    def sets(k, neuron):
        s0, s1 = (s[0][neuron], s[1][neuron]) if neuron is not None else (0, 0)
        opened = {"OWN": s1 if k else s0, "STEP0": s0, "STEP1": s1, "MERGED": s0 | s1}[gate]
        return opened, s0 & s1 if gate == "MERGED" else 0

    return _slots(n, [i for i in range(n) if wanted(i)], split, sets)


def differences(spikes, mask, split):
    """Type D with `step_difference`: spikes (2, N) -> as `zero_skip`, but for each PE set (gate, double, negate): set 0
    adds s0, set 1 adds s1 - s0.
    """
    s0, s1 = spikes.int().tolist()
    visited = [i for i in range(len(s0)) if mask == "ALL" or s0[i] or s1[i]]

    def sets(k, neuron):
        amount = 0 if neuron is None else s1[neuron] - s0[neuron] if k else s0[neuron]
        return int(amount != 0), 0, int(amount < 0)

    return _slots(len(s0), visited, split, sets)


def changes(spikes, before, gate, split):
    """Scan of changes: spikes (2, N) and those of the frame before -> as `zero_skip`, but for each PE set (gate,
    double, negate): the change of what the gate lets in is 1, 2, −1 or −2 rows.
    """
    def amounts(pair):  # (N, 2 PE sets)
        s0, s1 = pair.int().tolist()
        return [{"OWN": (a, b), "STEP0": (a, a), "MERGED": (a + b, a + b)}[gate] for a, b in zip(s0, s1, strict=True)]

    moved = [[now - then for now, then in zip(*pair, strict=True)]
             for pair in zip(amounts(spikes), amounts(before), strict=True)]

    def sets(k, neuron):
        change = moved[neuron][k] if neuron is not None else 0
        return int(change != 0), int(abs(change) == 2), int(change < 0)

    return _slots(len(moved), [i for i, change in enumerate(moved) if any(change)], split, sets)


def _slots(n, visited, split, sets):
    """One entry a slot, of the neurons visited: rows of the two halves, and `sets(k, neuron)` of PE set k."""
    half = -(-n // 2)
    halves = [[i for i in visited if i // half == h] for h in range(2)]
    if split:
        length = max(1, len(halves[0]), len(halves[1]))
        visits = [[h[i] if i < len(h) else None for h in halves] for i in range(length)]
        neurons = visits
    else:
        joint = halves[0] + halves[1] or [None]
        visits = [[i if i is not None and i < half else None, i if i is not None and i >= half else None]
                  for i in joint]
        neurons = [[i, i] for i in joint]
    return [(tuple(None if r is None else r % half for r in rows), tuple(sets(k, i) for k, i in enumerate(pair)))
            for rows, pair in zip(visits, neurons, strict=True)]


def recurrent_scans(mode, config):
    """(mask, gate, split, PE sets) of the scans of one recurrent matrix, in order."""
    mode = mode.built(config)
    if not mode.two_steps:
        return [("STEP0" if config.mechanisms.zero_skip_recurrent else "ALL", "STEP0", True, (0, 1))]
    if mode.recurrent is Recurrent.SEQUENTIAL:
        return [("ALL", "OWN", False, (step,)) for step in range(2)]
    return [("ALL" if mode.recurrent is Recurrent.PARALLEL else "UNION", "OWN", False, (0, 1))]


def by_change(matrix, mode, config):
    """Whether a frame of this mode visits only changes of the matrix's spikes; the FC keeps merged sums only."""
    mode = mode.built(config)
    return mode.by_change and matrix in config.changes() and (matrix != "fc" or mode.merge or not mode.two_steps)


def fc_scans(mode, config):
    """(mask, gate) of the scans of one FC pass, in order."""
    mode = mode.built(config)
    if mode.two_steps and mode.merge:
        scans = [("UNION", "MERGED")]
    else:
        scans = [(f"STEP{k}", f"STEP{k}") for k in range(mode.time_steps)]
    return scans if config.mechanisms.zero_skip_fc else [("ALL", gate) for _, gate in scans]
