"""Proofs: what holds of a block for all inputs in every cycle, by k-induction, and the broken line that each notices.

    sottovoce proofs                               all of them, each with its broken line (minutes)
    sottovoce proofs --only lif zero_skip          some; the figures of the others stay

Assertions around the blocks (`cosim/trust/claims.py`) go to the SAT solver of Yosys (MiniSat): no
counterexample within k cycles from reset, and none after any k cycles in which all held. So they hold for ever.
"""

import importlib
import inspect
import re
import tempfile
import time
import types
from dataclasses import dataclass
from pathlib import Path

from amaranth.back import rtlil

from cosim import results
from cosim.errors import CosimError
from cosim.trust import claims, claims_change, claims_guards
from hw import config as configs
from hw import store
from hw.flow.lib import yosys

SMALL = {"version": 2, "name": "proof", "features": 3, "lanes": 8, "outputs": 24, "logits_per_beat": 4, "load_bits": 32}
TWO = [{"neurons": 8}, {"neurons": 8, "reset": "subtract", "leak_shift": 1}]
SECONDS = 600  # of the solver, a proof
BROKEN = 4
INDUCTION, BOUNDED, ANY_STATE = "k-induction", "bounded, from reset", "one step, from any state"
HALF = {INDUCTION: "", BOUNDED: "-baseonly", ANY_STATE: "-inductonly"}  # of temporal induction


@dataclass(frozen=True)
class Proof:
    """`claim` around the class of `hw.block`, on a small configuration, by induction of at most `depth`; its `line`
    becomes `broken`. `layers` and `changes` make the configuration.
    """

    name: str
    block: str
    claim: object
    line: str
    broken: str
    depth: int = 3
    layers: tuple = tuple(TWO)
    changes: tuple = ()
    bounded: int = 0     # cycles from reset that are looked at, in place of induction
    any_state: bool = False  # what holds in the cycle after any state, reached or not
    shown: int = BROKEN  # further cycles in which the broken line may show

    @property
    def method(self):
        return ANY_STATE if self.any_state else BOUNDED if self.bounded else INDUCTION

    @property
    def config(self):
        return configs.from_dict({**SMALL, "layers": list(self.layers), **dict(self.changes)})

    def made(self, broken=False):
        """The claim around the block, or around the block with its line broken."""
        module = importlib.import_module(f"hw.{self.block}")
        if broken:
            module = rewritten(module, self.line, self.broken)
        name = next(n for n, found in vars(module).items()
                    if inspect.isclass(found) and n.lower() == self.block.replace("_", ""))
        return self.claim(getattr(module, name), self.config)


def rewritten(module, line, broken):
    """A module with one line changed, which nobody else sees."""
    source = inspect.getsource(module)
    if line not in source:
        raise CosimError(f"{module.__name__} has no line {line!r}: a proof breaks it")
    other = types.ModuleType(module.__name__)
    other.__package__ = "hw"
    exec(compile(source.replace(line, broken), module.__file__, "exec"), other.__dict__)
    return other


FOUR = (("lanes", 4), ("weight_bits", 8), ("outputs", 8), ("potential_bits", 20))  # lanes are alike: fewer to solve
KEPT = ({"neurons": 4, "on_change": True}, {"neurons": 4, "on_change": True})
WATCHED = (("watchdog", True),)
ON_CHANGE = (("outputs", 8), ("serial_combine", True), ("drain", "direct"), ("readout_on_change", True))
PROOFS = {proof.name: proof for proof in (
    Proof("every spike is visited once, and no other", "zero_skip", claims.zero_skip,
          "pend & ~lowest, pend)", "pend & ~(lowest << 1), pend)"),
    Proof("digits sum to the feature", "input_scan", claims.input_scan,
          "triple.eq(x + (x << 1))", "triple.eq(x + (x << 1) + 1)"),
    Proof("digits sum to the feature, two's complement", "input_scan", claims.input_scan,
          "negative.eq(0x80)", "negative.eq(0x00)", changes=(("input_code", "twos_complement"),)),
    Proof("digits sum to the feature, sign and magnitude", "input_scan", claims.input_scan,
          "Mux(x < 0, -x, x)", "Mux(x < 0, ~x, x)", changes=(("input_code", "sign_magnitude"),)),
    Proof("input current is rounded half up, exactly", "combine", claims.combine, "+ half)", "+ half - 1)"),
    Proof("accumulators cannot overflow", "pe_array", claims.accumulators,
          "accumulator = Signal(signed(self.config.accumulator_bits)",
          "accumulator = Signal(signed(self.config.accumulator_bits - 1)", layers=({"neurons": 4}, {"neurons": 4}),
          changes=FOUR),
    Proof("LIF equals its equation", "lif", claims.lif, "spike.eq(v >= threshold)", "spike.eq(v > threshold)",
          layers=({"neurons": 4}, {"neurons": 4, "reset": "subtract", "leak_shift": 1}), changes=FOUR),
    Proof("loads are refused or harmless", "load_port", claims.load_port,
          "offered.eq(self.load.valid & self.open)", "offered.eq(self.load.valid)"),
    Proof("logits leave once, in order, and wait unchanged", "logit_drain", claims.drain,
          "m.d.sync += left.eq(left - 1)", "m.d.sync += left.eq(left - 1 - (left == 3))"),
    Proof("features are kept in order, none lost", "input_buffer", claims.input_buffer,
          "& ~(self.hold & (count == 0))", "& ~self.hold"),
    Proof("every spike that changed is visited once, and no other", "zero_skip", claims_change.changes,
          "(s0 & s1 & ~b0 & ~b1)", "(s0 & s1 & ~b0)", layers=KEPT, changes=(*FOUR, *ON_CHANGE)),
    Proof("PE sets sum what changed, any weights", "zero_skip", claims_change.sums_of_changes,
          "b1 if k else b0", "b0", layers=KEPT, changes=(*FOUR, *ON_CHANGE)),
    Proof("kept sums are sums over all spikes", "kept_sums", claims_change.kept_sums,
          "(self.step == k)", "(self.step == 0)", layers=KEPT, changes=(*FOUR, *ON_CHANGE)),
    Proof("kept sums are used where they are this frame's", "sequencer", claims_change.use_of_kept_sums,
          " & (steps == mode.two_steps)", "", layers=KEPT, changes=(*FOUR, *ON_CHANGE), shown=40),
    Proof("the watchdog's bound", "watchdog", claims_guards.watchdog,
          "self.sequencer.ends | self.bite)", "self.sequencer.ends | self.bite | self.missing)", changes=WATCHED),
    Proof("a bite leaves the machine idle, from any state", "watchdog", claims_guards.recovery,
          "(self.sequencer.astray | timer.all())", "timer.all()", changes=WATCHED, any_state=True),
    Proof("the watchdog never bites in legal use", "watchdog", claims_guards.patient,
          "~starved & ~self.stalled", "~self.stalled", layers=({"neurons": 4, "recurrent": False},), bounded=70,
          changes=(("features", 2), ("outputs", 4), *FOUR[:2], ("watchdog", True))),
    Proof("one flipped bit makes a row wrong, none does not", "parity", claims_guards.parity,
          "self.wrong.eq(fresh &", "self.wrong.eq(self.reads &", changes=(("weight_bits", 8),)),
    Proof("counters count every event once, 32 bits", "counters", claims.counters,
          "counter.eq(counter + 1)", "counter.eq((counter + 1)[:2])"),
)}


def text_of(claim):
    """RTLIL of a claim."""
    ports = {signal.name: (signal, None) for signal in claim.inputs}
    return rtlil.convert(claim.m, name="claim", ports=ports, emit_src=False)


def prove(claim, depth, folder, before=(), method=INDUCTION):
    """(proved, seconds, depth reached, last words) by temporal induction, or one half of it: of the first `depth`
    cycles alone, or of the cycle after any state; `before`: passes on the netlist.
    """
    folder = Path(folder)
    text = text_of(claim)
    (folder / "claim.il").write_text(text)
    quiet = ["delete -input w:rst; connect -nounset -set rst 1'0"] if re.search(r"input \d+ +\\rst", text) else []
    passes = ["read_rtlil claim.il", "hierarchy -top claim", "proc -norom", "flatten", "opt_expr", *before,
              "cd claim", *(f"delete -input w:{free}; connect -nounset -set {free} {inner}"
                            for free, inner in claim.peeks.items()), *quiet, "cd",
              "chformal -lower", "pmuxtree", "opt_clean", "dffunmap", "opt -fast",
              f"sat -tempinduct{HALF[method]} -prove-asserts -set-assumes -maxsteps {depth} -timeout {SECONDS} claim"]
    started = time.monotonic()
    log, *_ = yosys.run(passes, folder, "proof")
    said = [line for line in log.splitlines() if "roof finished" in line or "Reached maximum" in line
            or "Interrupted" in line or "nduction step proven" in line]
    steps = depth if method != INDUCTION else sum("[induction step" in line or "Proving induction step" in line
                                                  for line in log.splitlines())
    last = said[-1] if said else "no answer"
    return "SUCCESS" in last, round(time.monotonic() - started, 1), steps, last


def row(proof, quick=False):
    """The figures of a proof; its line broken, it must fail."""
    with tempfile.TemporaryDirectory(prefix="sottovoce-") as folder:
        most = 1 if proof.any_state else proof.bounded or proof.depth
        proved, seconds, depth, last = prove(proof.made(), most, folder, method=proof.method)
        found = {"name": proof.name, "block": proof.block, "method": proof.method, "depth": depth,
                 "solver": f"MiniSat of {yosys.version()}", "seconds": seconds,
                 "result": "proved" if proved else f"not proved: {last}",
                 "broken_by": f"`{proof.line}` -> `{proof.broken}`"}
        if not quick:
            most += proof.shown * (proof.method == INDUCTION)
            failed, *_, last = prove(proof.made(broken=True), most, folder, method=proof.method)
            shows = "base case" in last or proof.any_state and "proof failed" in last
            found["broken_result"] = "still proved" if failed else "counterexample" if shows else last
    return found


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--only", nargs="+", metavar="BLOCK", help="of " + ", ".join(dict.fromkeys(
        proof.block for proof in PROOFS.values())))
    store.add_publish(parser)


def run(args):
    """1 if one is not proved, or is proved of a broken block too."""
    known = {proof.block for proof in PROOFS.values()}
    if wrong := set(args.only or ()) - known:
        raise CosimError(f"--only {sorted(wrong)[0]}: wanted blocks of {', '.join(sorted(known))}")
    rows = []
    for proof in PROOFS.values():
        if not args.only or proof.block in args.only:
            rows.append(row(proof))
            print("{name:52} {result}, depth {depth}, {seconds} s; broken: {broken_result}".format(**rows[-1]),
                  flush=True)
    good = all(r["result"] == "proved" and r["broken_result"] == "counterexample" for r in rows)
    kept = {r["name"]: r for r in store.read_json(store.results("trust.json", args.publish)).get("proofs", ())}
    kept = {r["name"]: r for r in rows} if not args.only else kept | {r["name"]: r for r in rows}
    path = results.update({"proofs": [kept[name] for name in PROOFS if name in kept]},
                          f"proofs, {' '.join(args.only)}" if args.only else "proofs", {"command": args.command},
                          args.publish, "trust.json")
    print(f"figures: {path}")
    return 0 if good else 1
