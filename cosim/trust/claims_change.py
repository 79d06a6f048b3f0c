"""What must hold where sums are kept from frame to frame: assertions around single blocks, as in `claims`.

Together: a scan of changes visits each neuron that changed once and no other, with its change (`changes`); PE sets
sum exactly that (`sums_of_changes`); kept sums plus it are the sums over all spikes (`kept_sums`); and they are used
where the frame before was of as many time steps and nothing was loaded or cleared since (`use_of_kept_sums`).
"""

from amaranth import Array, Cat, Mux, Signal, Value, signed

from cosim.trust.claim import Claim
from hw.pe_array import PeArray
from hw.types import Gate, Mask

OWN, STEP0, MERGED = Gate.OWN.value, Gate.STEP0.value, Gate.MERGED.value


def _scan(claim, n):
    """What stays as it is through a scan of changes of 2 x n neurons: (present, now, before, gate, opening)."""
    opening, block = Signal(init=1), claim.block
    present = claim.steady(2 * n, "present", opening)
    now, before = ([claim.steady(2 * n, f"{what}_{k}", opening) & present for k in range(2)]
                   for what in ("now", "before"))
    gate = claim.steady(2, "gate", opening)
    one = gate == STEP0  # at one time step: each PE set its half, and step 1 is silent
    claim.assume(gate != Gate.STEP1.value)
    claim.m.d.comb += [
        block.present.eq(present), block.scan.gate.eq(gate), block.scan.mask.eq(Mux(one, Mask.STEP0, Mask.UNION)),
        block.scan.split.eq(one), block.scan.start.eq(opening), block.scan.change.eq(1),
        *(block.spikes[k].eq(now[k]) for k in range(2)), *(block.before[k].eq(before[k]) for k in range(2))]
    return present, now, before, gate, opening


def _amounts(pair, gate):
    """How often each neuron's row is added in PE set 0 and 1: lists of small numbers."""
    s0, s1 = pair
    return [[Mux(gate == MERGED, s0[i] + s1[i], Mux((gate == OWN) & k, s1[i], s0[i])) for i in range(len(s0))]
            for k in range(2)]


def changes(cls, config):
    """Each neuron whose spikes differ from the frame before is visited once, and no other; with what it is more."""
    n = config.half
    claim = Claim("zero_skip", block := cls(config=config))
    m, scan = claim.m, block.scan
    present, now, before, gate, opening = _scan(claim, n)
    m.d.comb += scan.advance.eq(claim.free(1, "advance"))
    more = [[a - b for a, b in zip(*each, strict=True)]
            for each in zip(_amounts(now, gate), _amounts(before, gate), strict=True)]
    differs, visited, already, after = (Signal(2 * n, name=name) for name in ("differs", "visited", "already", "after"))
    hits = [Signal(n, name=f"hit_{h}") for h in range(2)]
    m.d.comb += [
        differs.eq(Cat((x != 0) | (y != 0) for x, y in zip(*more, strict=True))),
        *(hit.eq(Mux(scan.visits[h].valid, 1 << scan.visits[h].row, 0)) for h, hit in enumerate(hits)),
        already.eq(Mux(opening, 0, visited)), after.eq(already | Cat(hits)),
    ]
    with m.If(scan.advance):
        m.d.sync += [visited.eq(after), opening.eq(scan.last)]
    remaining = Cat(claim.peek(n, f"remaining_{h}") for h in range(2))
    claim.claim((Cat(hits) & (already | ~differs)) == 0, scan.last == (after == differs),
                (already == differs) | Cat(hits).any(), scan.split | ~(hits[0].any() & hits[1].any()),
                opening | (remaining == (differs & ~already)), opening | (remaining != 0), (already & ~differs) == 0)
    for k in range(2):
        mine = Cat(Mux(scan.split & (h != k), 0, hits[h]) for h in range(2))
        wanted = sum(Mux(mine[i], more[k][i], 0) for i in range(2 * n))
        claim.claim(_added(scan.gates[k], scan.doubles[k], scan.negates[k]) == wanted)
    return claim


def _added(gate, double, negate):
    size = Mux(double, 2, 1)
    return Mux(gate, Mux(negate, -size, size), 0)


def sums_of_changes(cls, config):
    """What PE sets hold after each visit of a scan is what the neurons visited so far have changed by, times their
    weights, any weights: with each visited once (`changes`), at last the whole sum less that of the frame before.

    At one time step each set has its half. Rows come in the cycle after their visit, as from the weight buffers.
    """
    n, c = config.half, config
    claim = Claim("zero_skip", block := cls(config=config))
    m, scan, first = claim.m, block.scan, Signal(init=1)
    _, now, before, gate, opening = _scan(claim, n)
    m.d.sync += first.eq(0)
    weights = [claim.steady(signed(c.weight_bits), f"weight_{i}", first) for i in range(2 * n)]
    m.d.comb += scan.advance.eq(claim.free(1, "advance"))
    with m.If(scan.advance):
        m.d.sync += opening.eq(scan.last)
    more = [[a - b for a, b in zip(*each, strict=True)]
            for each in zip(_amounts(now, gate), _amounts(before, gate), strict=True)]
    hits = [Mux(scan.visits[h].valid & (scan.visits[h].row == i), 1, 0) for h in range(2) for i in range(n)]
    for k in range(2):
        pe = m.submodules[f"pe_set{k}"] = PeArray(config=c)
        bank = Array(Array(weights[h * n:(h + 1) * n])[scan.visits[h].row] for h in range(2))[scan.banks[k]]
        row = Signal(signed(c.weight_bits), name=f"row_{k}")
        m.d.sync += [pe.gate.eq(scan.gates[k] & scan.advance), pe.shift.eq(scan.doubles[k]), row.eq(bank),
                     pe.negate.eq(scan.negates[k]), pe.clear.eq(opening & scan.advance)]
        m.d.comb += pe.row[0].eq(row)
        total, left = (Signal(signed(c.accumulator_bits), name=f"{name}_{k}") for name in ("total", "left"))
        with m.If(scan.advance):
            m.d.sync += total.eq(Mux(opening, 0, total) + sum(
                Mux(hit & _mine(gate, k, i, n), more[k][i] * weights[i], 0) for i, hit in enumerate(hits)))
        # in the accumulators, with what the operation at hand adds
        m.d.comb += left.eq(Mux(pe.clear, 0, pe.accumulators[0]) + Mux(
            pe.gate, Mux(pe.negate, -1, 1) * (row << pe.shift), 0))
        claim.claim(left == total)
    return claim


def _mine(gate, k, neuron, n):
    """At one time step PE set k has its half of the neurons."""
    return Mux(gate == STEP0, int(neuron // n == k), 1)


def kept_sums(cls, config):
    """Currents and what is kept are the sums over this frame's spikes, whether they are gone on from or made anew. Of
    as many LIF lanes as PE lanes.
    """
    c = config
    claim = Claim("kept_sums", block := cls(config=config))
    claim.free_inputs(but=("fetched", "accumulators"))
    m, most = claim.m, (1 << c.kept_bits - 1) - 1
    keeps = Array(int(layer.on_change) for layer in c.layers)[block.layer]
    use = block.use & keeps
    now, before = ([[claim.free(signed(c.kept_bits), f"{what}_{lane}_{k}") for k in range(2)]
                    for lane in range(c.lif_lanes)] for what in ("now", "before"))
    apart = [claim.free(signed(c.accumulator_bits), f"half_{lane}") for lane in range(c.lif_lanes)]
    m.d.comb += block.fetched.eq(Cat(before[lane][k] for k in range(2) for lane in range(c.lif_lanes)))
    claim.assume(~(block.step & ~block.two_steps))
    kept_of = []
    for lane in range(c.lif_lanes):
        sets = [block.accumulators[k][lane] for k in range(2)]
        more = [Signal(signed(c.kept_bits + 1), name=f"more_{lane}_{k}") for k in range(2)]
        m.d.comb += [more[k].eq(now[lane][k] - Mux(use, before[lane][k], 0)) for k in range(2)]
        # what the PE sets have summed: each its time step, or both together the one that there is
        claim.assume(*(x <= most + 1 for x in more), *(x >= -most - 1 for x in more))  # a sum of changes
        given = [Mux(block.two_steps, more[0], apart[lane]), Mux(block.two_steps, more[1], more[0] - apart[lane])]
        m.d.comb += [block.accumulators[k][lane].eq(value) for k, value in enumerate(given)]
        claim.assume(block.two_steps | (sets[0] + sets[1] == more[0]))
        wanted = Mux(block.step, now[lane][1], now[lane][0])
        waits = block.waiting[lane * c.accumulator_bits:(lane + 1) * c.accumulator_bits].as_signed() \
            if c.serial_combine else 0
        claim.claim(block.currents[lane] == wanted + Mux(block.layer == 0, waits, 0))
        kept_of.append(wanted)
    enabled, step, started = claim.past(block.enable, "enable"), claim.past(block.step, "step"), Signal()
    stored, word = claim.past(block.store & keeps, "store"), claim.past(block.word, "word")
    m.d.sync += started.eq(1)
    claim.claim(~started | (block.kept.enable == stored), ~started | (block.kept.row == word))
    for lane, wanted in enumerate(kept_of):
        was = claim.past(wanted, f"wanted_{lane}")
        for k in range(2):
            at = (k * c.lif_lanes + lane) * c.kept_bits
            value = block.kept.data[at:at + c.kept_bits]
            held = claim.past(value, f"held_{lane}_{k}")
            claim.claim(~started | (value == Mux(enabled & (step == k), was[:c.kept_bits], held)))
    return claim


def use_of_kept_sums(cls, config):
    """Kept sums are gone on from if, and only if, the last frame that ended had as many time steps, and nothing was
    loaded or cleared since.
    """
    claim = Claim("sequencer", block := cls(config=config))
    claim.free_inputs()
    m, two = claim.m, block.mode.two_steps
    good, steps = Signal(), Signal()
    ended = block.operation.capture & block.operation.last_pass  # the cycle after a frame's last slot
    was_two = claim.past(two, "two")
    forgot = claim.past(block.kept.forget, "forgot")
    now_good, now_steps = Signal(), Signal()
    m.d.comb += [now_good.eq((good | ended) & ~forgot), now_steps.eq(Mux(ended & ~forgot, was_two, steps))]
    m.d.sync += [good.eq(now_good), steps.eq(now_steps)]
    valid, of = claim.peek(1, "kept_valid"), claim.peek(1, "kept_steps")
    claim.claim(block.kept.use == ((Value.cast(block.mode.recurrent) == 3) & now_good & (now_steps == two)),
                valid == now_good, ~now_good | (of == now_steps))
    return claim
