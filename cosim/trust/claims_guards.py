"""What must hold of what guards a machine, watchdog and parity: assertions around blocks, as in `claims`."""

from amaranth import Cat, Mux, ResetInserter, Signal, Value
from amaranth.lib.wiring import connect

from cosim.trust.claim import Claim
from hw.input_buffer import InputBuffer
from hw.input_scan import InputScan
from hw.logit_drain import LogitDrain
from hw.sequencer import Sequencer
from hw.watchdog import EVENT_BITS, patience
from hw.zero_skip import ZeroSkip


def watchdog(cls, config):
    """Whatever the timer holds: of cycles in which no neighbour is waited for, `patience` at most pass until a frame
    has ended, nothing is begun, or the machine bites; it bites at once where the sequencer is astray, and never while
    a beat waits. Bites are counted to the end of the counter, and cleared.
    """
    claim = Claim("watchdog", block := cls(config=config))
    claim.free_inputs()
    m, most = claim.m, patience(config)
    timer, waited = claim.peek(most.bit_length(), "timer"), Signal(most.bit_length() + 1)
    told = block.sequencer
    excused = block.stalled | told.first & block.missing & block.next & ~block.begun
    with m.If(block.idle | told.ends | block.bite):
        m.d.sync += waited.eq(0)
    with m.Elif(~excused):
        m.d.sync += waited.eq(waited + 1)
    claim.claim(waited <= timer, waited <= most, (waited < most) | block.bite | block.stalled,
                ~told.astray | block.bite | block.stalled, ~(block.bite & block.stalled),
                ~block.bite | told.astray | (timer == most))
    started, last = Signal(), (1 << EVENT_BITS) - 1
    m.d.sync += started.eq(1)
    before, bit, cleared = (claim.past(value, name) for value, name in (
        (block.bites, "bites"), (block.bite, "bite"), (block.clear, "clear")))
    claim.claim(~started | (block.bites == Mux(cleared, 0, before + (bit & (before != last)))),
                block.hung == (block.bites != 0))
    return claim


def _control(cls, config):
    """What runs a frame, wired as in `hw.accelerator`, with the mode, all spikes and all sums free."""
    claim = Claim("watchdog", block := cls(config=config))
    m = claim.m
    parts = {"input_buffer": InputBuffer(config=config), "input_scan": InputScan(config=config),
             "zero_skip": ZeroSkip(config=config), "sequencer": Sequencer(config=config),
             "logit_drain": LogitDrain(config=config)}
    for name, part in parts.items():
        m.submodules[name] = ResetInserter(block.bite)(part)
    words, digits, skip, seq, drain = parts.values()
    connect(m, digits.scan, seq.digits)
    connect(m, skip.scan, seq.spikes)
    connect(m, seq.watched, block.sequencer)
    free = claim.free
    m.d.comb += [
        words.x.valid.eq(free(1, "x_valid")), words.x.payload.eq(free(8, "x")), words.hold.eq(free(1, "hold")),
        words.index.eq(digits.scan.index), words.discard.eq(seq.discard), digits.word.eq(words.word),
        skip.present.eq(2 ** (2 * config.half) - 1), *(skip.spikes[k].eq(free(2 * config.half, f"spikes_{k}"))
                                                        for k in range(2)),
        seq.mode.eq(free(len(Value.cast(seq.mode)), "mode")), seq.available.eq(words.available),
        seq.drain_ready.eq(drain.ready), drain.capture.eq(seq.operation.capture),
        drain.last_pass.eq(seq.operation.last_pass), drain.logits.ready.eq(free(1, "ready")),
        block.idle.eq(seq.idle), block.begun.eq(digits.begun), block.missing.eq(~words.available),
        block.next.eq(words.next), block.stalled.eq(drain.logits.valid & ~drain.logits.ready),
        block.clear.eq(free(1, "clear")),
    ]
    return claim, block, seq, drain


def recovery(cls, config):
    """From any state at all: where the sequencer is astray the machine bites, unless a beat waits; in the cycle after a
    bite it is idle, nothing waits or leaves, and it is not astray.
    """
    claim, block, seq, drain = _control(cls, config)
    bit = claim.past(block.bite, "bite")
    claim.claim(~seq.watched.astray | block.bite | block.stalled,
                ~bit | (seq.idle & ~seq.starved & ~drain.logits.valid & ~block.bite & ~seq.watched.astray))
    return claim


def patient(cls, config):
    """From reset on, whatever comes in, whoever waits, in any mode: it does not bite."""
    claim, block, seq, _ = _control(cls, config)
    mode = claim.past(seq.mode, "mode")  # it changes between frames only
    claim.assume(seq.idle | (Value.cast(seq.mode) == mode))
    claim.claim(~block.bite)
    return claim


def parity(cls, config):
    """Any row, with the parity that is stored with its slices: right, it is not wrong; one bit of row or parity turned
    over, it is, in the cycle after it is read and in no other.
    """
    width, load = config.row_bits, config.load_bits
    claim = Claim("parity", block := cls(width=width, load_bits=load))
    m, slices = claim.m, width // load
    row, turned = claim.free(width, "row"), claim.free(width + slices, "turned")
    reads, data = claim.free(1, "reads"), claim.free(load, "data")
    one = (turned != 0) & ((turned & (turned - 1)[:len(turned)]) == 0)
    claim.assume((turned == 0) | one)
    parts = [row[at:at + load] for at in range(0, width, load)]
    m.d.comb += [block.reads.eq(reads), block.data.eq(data), block.row.eq(row ^ turned[:width]),
                 block.stored.eq(Cat(_odd(part) for part in parts) ^ turned[width:])]
    claim.claim(block.wrong == (claim.past(reads, "reads") & one), block.bit == _odd(data))
    return claim


def _odd(bits):
    """Whether an odd number of bits is set: counted, not folded."""
    return sum(bits)[0]
