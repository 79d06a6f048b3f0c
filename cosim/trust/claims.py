"""What must hold of single blocks for all inputs, written as assertions around them: `cosim.trust.proofs` proves them.

A claim is a module with the block inside, ghost registers that remember what happened, and assertions. Its inputs are
free: the solver chooses them, in every cycle. `peek` makes a block's inner register visible, for invariants only.
Equations are written anew from docs/arithmetic.md, not taken from the block.
"""

from amaranth import Array, Cat, Mux, Signal, Value, signed

from cosim.trust.claim import Claim
from hw.load_port import load_targets
from hw.types import Gate


def counters(cls, config):
    """Every counter is what it was, and one more where its event happened, or zero after a clear; all 32 bits."""
    claim = Claim("counters", block := cls(config=config))
    claim.free_inputs()
    names = [(block.cycles[p.value], block.count & (Value.cast(block.phase) == p.value)) for p in block.phases]
    names += [(count, block.reads[i]) for i, count in enumerate(block.row_reads)] + [(block.frames, block.frame)]
    started = Signal()
    claim.m.d.sync += started.eq(1)
    for i, (count, event) in enumerate(names):
        before, happened = claim.past(count, f"count_{i}"), claim.past(event, f"event_{i}")
        cleared = claim.past(block.clear, f"clear_{i}")
        claim.claim(~started | (count == Mux(cleared, 0, before + happened)[:32]), started | (count == 0))
    return claim


def combine(cls, config):
    """Half-up rounding of low + 16 high, exact, for all sums that the input layer can reach."""
    claim = Claim("combine", block := cls(config=config))
    claim.free_inputs()
    most = config.features * config.weight_limit * config.digit_limit
    for lane in range(config.lanes):
        low, high = block.low[lane], block.high[lane]
        whole = Signal(signed(40), name=f"whole_{lane}")
        claim.m.d.comb += whole.eq(low + high * 16 + (1 << config.input_shift) // 2)
        # the features reach -128..127 only: both groups cannot be at their ends
        reach = config.features * config.weight_limit * 128
        claim.assume(low <= most, low >= -most, high <= most, high >= -most,
                     low + high * 16 <= reach, low + high * 16 >= -reach)
        claim.claim(block.current[lane] == whole[config.input_shift:].as_signed())
    return claim


def accumulators(cls, config):
    """The accumulators equal sums that are twice as wide, for any weights, if each feature or spike is visited once.

    `units`: visits since a clear, a shift counting its power of two; what a scan can reach is the configuration's.
    """
    claim = Claim("pe_array", block := cls(config=config))
    claim.free_inputs()
    limit, wide = config.weight_limit, 2 * config.accumulator_bits
    # of one set: the input's groups; or what `combine` gives, then layer 0's recurrence; or a later layer; or the FC
    first = config.features * config.digit_limit
    scans = [2 * config.last.neurons] + [before.neurons + after.recurrent * after.neurons
                                         for before, after in zip(config.layers, config.layers[1:], strict=False)]
    most = max(first, *scans)
    current = -(-config.features * limit * 128 // (1 << config.input_shift))
    recurrent = config.layers[0].recurrent * config.layers[0].neurons
    units, loaded = Signal(16), Signal()
    start, was_loaded = Mux(block.clear, 0, units), loaded & ~block.clear
    visit = Mux(block.gate, 1 << block.shift, 0)
    after = Signal(17)
    claim.m.d.comb += after.eq(start + visit)
    claim.assume(after <= Mux(was_loaded, recurrent, most), ~(was_loaded & block.gate) | (block.shift == 0))
    with claim.m.If(block.load):
        claim.m.d.sync += [units.eq(0), loaded.eq(1)]
    with claim.m.Elif(block.gate | block.clear):
        claim.m.d.sync += [units.eq(after), loaded.eq(was_loaded)]
    for lane in range(config.lanes):
        exact, weight = Signal(signed(wide), name=f"exact_{lane}"), block.row[lane]
        added = Mux(block.gate, Mux(block.negate, -1, 1) * (weight << block.shift), 0)
        claim.assume(~block.load | (block.value[lane] <= current) & (block.value[lane] >= -current))
        with claim.m.If(block.load):
            claim.m.d.sync += exact.eq(block.value[lane])
        with claim.m.Elif(block.gate | block.clear):
            claim.m.d.sync += exact.eq(Mux(block.clear, 0, exact) + added)
        bound = Mux(loaded, current, 0) + units * limit
        claim.claim(block.accumulators[lane] == exact, exact <= bound, exact >= -bound)
    claim.claim(units <= Mux(loaded, recurrent, most))
    return claim


def lif(cls, config):
    """Equation (2) for every potential, current, threshold and layer; a clear; nothing else moves."""
    c = config
    claim = Claim("lif", block := cls(config=config))
    claim.free_inputs()
    m, top = claim.m, (1 << c.potential_bits - 1) - 1
    seen = claim.peek(c.lif_lanes * c.potential_bits, "seen_potentials")
    fired = claim.peek(c.lif_lanes, "seen_spikes")
    claim.assume(block.word == block.layer, ~(block.step & ~block.two_steps), block.chunk == 0)
    u_of = Array(block.potentials[k].as_value() for k in range(len(c.layers)))[block.layer]
    for lane in range(c.lif_lanes):
        u = Signal(signed(c.potential_bits), name=f"u_{lane}")
        v, kept = Signal(signed(40), name=f"v_{lane}"), Signal(signed(40), name=f"kept_{lane}")
        rest = Signal(signed(40), name=f"rest_{lane}")
        acc = [block.accumulators[k][lane] for k in range(2)]
        current = Mux(block.two_steps, Array(acc)[block.step], acc[0] + acc[1])
        leak = Array(u[s:].as_signed() if s else 0 for s in (x.leak_shift for x in c.layers))[block.layer]
        threshold = Array(block.thresholds)[block.layer]
        subtract = Array(int(x.reset == "subtract") for x in c.layers)[block.layer]
        m.d.comb += [
            u.eq(u_of.word_select(lane, c.potential_bits)), v.eq(u - leak + current * (1 << c.potential_fraction)),
            kept.eq(Mux(v < -top - 1, -top - 1, Mux(v > top, top, v))),
            rest.eq(Mux(kept < threshold, kept, Mux(subtract, kept - threshold, 0))),
        ]
        claim.claim(fired[lane] == (kept >= threshold),
                    seen.word_select(lane, c.potential_bits) == rest[:c.potential_bits])
    started = Signal()
    m.d.sync += started.eq(1)
    enabled, clear = claim.past(block.enable, "enable"), claim.past(block.clear, "clear")
    step, layer = claim.past(block.step, "step"), claim.past(block.layer, "layer")
    now, spikes = claim.past(seen, "seen"), claim.past(fired, "fired")
    for k, each in enumerate(c.layers):
        here, n = enabled & (layer == k), each.neurons
        before = claim.past(block.potentials[k].as_value(), f"potentials_{k}")
        held = [claim.past(block.spikes[2 * k + s], f"spikes_{k}_{s}") for s in range(2)]
        bits = n * c.potential_bits
        new = [Mux(step, held[0], spikes), Mux(step, spikes, 0)]  # a frame's first step empties the second
        claim.claim(~started | (block.potentials[k].as_value()[:bits] ==
                                Mux(clear, 0, Mux(here, now, before))[:bits]))
        claim.claim(*(~started | (block.spikes[2 * k + s][:n] == Mux(clear, 0, Mux(here, new[s], held[s]))[:n])
                      for s in range(2)))
    return claim


def load_port(cls, config):
    """Closed, nothing is taken and nothing changes; open, a word reaches one place, or is counted and no more."""
    claim = Claim("load_port", block := cls(config=config))
    claim.free_inputs()
    word, targets = block.load.p, load_targets(config)
    register = (word.buffer == 5) & (word.slice == 0)
    rows = [k if k < 2 else k + 2 for k, x in enumerate(config.layers) if x.threshold == "layer"]
    known = [(word.buffer == b) & (word.row < count) & (word.slice < slices) for b, (count, slices) in targets.items()]
    known += [register & (word.row == row) for row in (*rows, 2, 3)]
    exists = Signal()
    claim.m.d.comb += exists.eq(Cat(known).any())
    offered = block.load.valid & block.open
    taken = Mux(offered & exists, 1 << word.buffer, 0)
    clears = offered & register & (word.row == 3)
    claim.claim(block.load.ready == block.open, block.taken == taken,
                block.clear_state == (clears & word.data[0]), block.clear_counters == (clears & word.data[1]))
    started = Signal()
    claim.m.d.sync += started.eq(1)
    data = claim.past(word.data, "data")
    for name, value, row in [("mode", block.mode.as_value(), 2),
                             *((f"threshold_{r}", block.thresholds[r if r < 2 else r - 2], r) for r in rows)]:
        before = claim.past(value, name)
        written = claim.past(offered & register & (word.row == row), f"written_{name}")
        claim.claim(~started | (value == Mux(written, data, before)[:len(value)]))
    before, wrong = claim.past(block.errors, "errors"), claim.past(offered & ~exists, "wrong")
    cleared = claim.past(block.clear_counters, "cleared")
    claim.claim(~started | (block.errors == Mux(cleared, 0, Mux(wrong & (before < 255), before + 1, before))))
    return claim


def drain(cls, config):
    """Each captured logit leaves once, in order; a waiting beat does not change; `last` is the frame's last."""
    c = config
    claim = Claim("logit_drain", block := cls(config=config))
    claim.free_inputs()
    m, per_group = claim.m, c.lanes // c.logits_per_beat
    beat = c.logits_per_beat * c.logit_bits
    tail = (c.outputs - (c.passes - 1) * 2 * c.lanes) // c.logits_per_beat
    claim.assume(~block.capture | claim.past(block.ready, "ready"))  # the sequencer's promise
    sums = [[block.accumulators[k][lane] for lane in range(c.lanes)] for k in range(2)]
    first = [Mux(block.last_pass & c.split_pass, a + b, a) for a, b in zip(*sums, strict=True)]
    image = Cat(*(value.as_signed()[:c.logit_bits] if len(value) >= c.logit_bits else value for value in first),
                *(value[:c.logit_bits] for value in sums[1]))
    frame, at, end, final = Signal(2 * per_group * beat), Signal(8), Signal(8), Signal()
    out = block.logits
    with m.If(block.capture):
        m.d.sync += [frame.eq(image), at.eq(0), end.eq(Mux(block.last_pass, tail, 2 * per_group)),
                     final.eq(block.last_pass)]
    with m.Elif(out.valid & out.ready):
        m.d.sync += at.eq(at + 1)
    wanted = Array(frame[b * beat:(b + 1) * beat] for b in range(2 * per_group))[at]
    left = claim.peek((2 * per_group).bit_length(), "left")
    held = [claim.peek(beat, f"held_{b}") for b in range(2 * per_group)]
    flag = claim.peek(1, "final")
    claim.claim(out.valid == (at < end), ~out.valid | (out.p["values"].as_value() == wanted),
                ~out.valid | (out.p.last == (final & (at + 1 == end))), ~block.ready | ~block.capture)
    claim.claim(left == end - at, flag == final, at <= end, end <= 2 * per_group)  # the rest: invariants
    for b, value in enumerate(held):
        claim.claim((at + b >= end) | (value == Array(
            frame[i * beat:(i + 1) * beat] for i in range(2 * per_group))[(at + b)[:8]]))
    waiting = claim.past(out.valid & ~out.ready, "waiting")
    claim.claim(~waiting | block.capture | out.valid,
                ~waiting | (out.payload.as_value() == claim.past(out.payload.as_value(), "payload")))
    return claim


def input_buffer(cls, config):
    """Word i is the i-th feature taken since the frame began; none is lost or overwritten, `hold` keeps frames out."""
    c = config
    claim = Claim("input_buffer", block := cls(config=config))
    claim.free_inputs()
    m, count = claim.m, claim.peek(range(c.features + 1), "count")
    taken = block.x.valid & block.x.ready
    frame = [Signal(signed(8), name=f"frame_{i}") for i in range(c.features)]
    number = Signal(8)
    with m.If(block.discard):
        m.d.sync += number.eq(0)
    with m.Elif(taken):
        m.d.sync += [Array(frame)[number].eq(block.x.payload), number.eq(number + 1)]
    claim.assume(block.index < c.features)
    kept = [claim.peek(signed(8), f"word_{i}") for i in range(c.features)]
    claim.claim(block.available == (block.index < number), count == number, number <= c.features,
                ~block.available | (block.word == Array(frame)[block.index]),
                block.x.ready == ((number < c.features) & (~block.hold | (number != 0))),
                *((number <= i) | (a == b) for i, (a, b) in enumerate(zip(frame, kept, strict=True))))
    return claim


def zero_skip(cls, config):
    """A scan visits each neuron of its mask once and no other; gates, doubles and banks are that neuron's spikes."""
    n = config.half
    claim = Claim("zero_skip", block := cls(config=config))
    m, scan, opening = claim.m, block.scan, Signal(init=1)
    present = claim.steady(2 * n, "present", opening)
    spikes = [claim.steady(2 * n, f"spikes_{k}", opening) & present for k in range(2)]
    mask, gate, split = (claim.steady(bits, name, opening) for bits, name in ((2, "mask"), (2, "gate"), (1, "split")))
    m.d.comb += [block.present.eq(present), scan.mask.eq(mask), scan.gate.eq(gate), scan.split.eq(split),
                 scan.start.eq(opening), scan.advance.eq(claim.free(1, "advance"))]
    m.d.comb += [block.spikes[k].eq(spikes[k]) for k in range(2)]
    visited, before, after, whole = Signal(2 * n), Signal(2 * n), Signal(2 * n), Signal(2 * n)
    hits = [Signal(n, name=f"hit_{h}") for h in range(2)]
    m.d.comb += [
        whole.eq(Array([present, spikes[0] | spikes[1], spikes[0], spikes[1]])[mask]),
        *(hit.eq(Mux(scan.visits[h].valid, 1 << scan.visits[h].row, 0)) for h, hit in enumerate(hits)),
        before.eq(Mux(opening, 0, visited)), after.eq(before | Cat(hits)),
    ]
    with m.If(scan.advance):
        m.d.sync += [visited.eq(after), opening.eq(scan.last)]
    remaining = Cat(claim.peek(n, f"remaining_{h}") for h in range(2))
    claim.claim((Cat(hits) & (before | ~whole)) == 0, scan.last == (after == whole),
                (before == whole) | Cat(hits).any(), split | ~(hits[0].any() & hits[1].any()),
                opening | (remaining == (whole & ~before)), opening | (remaining != 0), (before & ~whole) == 0)
    for k in range(2):
        mine = Cat(Mux(split & (h != k), 0, hits[h]) for h in range(2))
        s0, s1 = (mine & spikes[0]).any(), (mine & spikes[1]).any()
        own = s1 if k else s0
        wanted = Array([own, s0, s1, s0 | s1])[gate]
        claim.claim(scan.gates[k] == wanted, scan.doubles[k] == ((gate == Gate.MERGED.value) & s0 & s1),
                    ~wanted | (scan.banks[k] == Mux(split, k, hits[1].any())))
    return claim


def input_scan(cls, config):
    """Digits that a feature is visited with sum to its value, each set its group's; then comes the next feature."""
    claim = Claim("input_scan", block := cls(config=config))
    m, scan, fresh = claim.m, block.scan, Signal(init=1)
    x = claim.steady(signed(8), "x", fresh)
    m.d.comb += [block.word.eq(x), scan.advance.eq(claim.free(1, "advance"))]
    opened, digits, negative = (claim.peek(bits, name) for bits, name in (
        (1, "opened"), (8, "nonzero"), (8, "negative")))
    remaining = [claim.peek(4, f"remaining_{k}") for k in range(2)]
    sums = [Signal(signed(9), name=f"sum_{k}") for k in range(2)]
    number, totals, lefts = Signal(range(config.features)), [], []
    for k in range(2):
        visit = scan.visits[k]
        before = Mux(fresh, 0, sums[k])
        total = Signal(signed(10), name=f"total_{k}")
        m.d.comb += total.eq(before + Mux(visit.gate, Mux(visit.negate, -(1 << visit.shift), 1 << visit.shift), 0))
        with m.If(scan.advance):
            m.d.sync += sums[k].eq(total)
        totals.append(total)
        part, sign = digits[4 * k:4 * k + 4], negative[4 * k:4 * k + 4]

        def worth(pending, part=part, sign=sign):
            return sum(Mux(pending[i] & part[i], Mux(sign[i], -(1 << i), 1 << i), 0) for i in range(4))
        left, whole = Signal(signed(10), name=f"left_{k}"), Signal(signed(10), name=f"whole_{k}")
        m.d.comb += [left.eq(sums[k] + worth(remaining[k])), whole.eq(worth(part))]
        lefts.append(fresh | (left == whole))
    with m.If(scan.advance):
        ends = ~Cat(*(a & (a - 1)[:4] for a in (Mux(opened, remaining[k], digits[4 * k:4 * k + 4])
                                                  for k in range(2)))).any()
        m.d.sync += fresh.eq(ends)
        with m.If(ends):
            m.d.sync += number.eq(Mux(number == config.features - 1, 0, number + 1))
        claim.claim(~ends | (totals[0] + totals[1] * 16 == x))
        claim.claim(scan.last == (ends & (number == config.features - 1)))
    claim.claim(opened == ~fresh, scan.index == number, scan.first == (fresh & (number == 0)),
                scan.read == (fresh & (x != 0)), *lefts)
    return claim
