"""A thousand small faults in the hardware, one at a time: which of them do the scenarios notice?

    sottovoce mutants                                     1,300 mutants of seven configurations (50 minutes on one core)
    sottovoce mutants --count 300 --seed 7                fewer, and others
    sottovoce mutants --only tiny                         of one configuration alone
    sottovoce mutants --only NAME --add                   of one that the published figures lack, on top of them
    sottovoce mutants --survivors                         those alone that the published figures call survivors
    sottovoce mutants --survivors --from-reset            and look for differences in reachable states only: slow

Yosys draws the mutants from the netlist (`cosim/trust/mutation.py`); every one is played the scenarios of
`cosim/trust/scenarios.py` on Verilator against golden's bits, cycles and row reads. Those that nothing notices go to a
solver, which shows whether they can be told from the design at all, in any state, or, with `--from-reset`, in any that
follows a reset (`cosim/trust/equivalence.py`). The others are survivors. What is done is kept in build/mutants; an
interrupted run goes on.
"""

import hashlib
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import torch
from tqdm import tqdm

from cosim import results
from cosim.bench import configurations
from cosim.errors import CosimError, HarnessError
from cosim.rtl import builder, geometry, harness
from cosim.trust import equivalence, mutation, scenarios
from hw import config as configs
from hw import store
from hw.flow.lib.tools import Progress
from sw import options

FOLDER = Path("build/mutants")
ROOM = Path(__file__).parents[1]
SHARES = {"tiny": 50, "serial-lif": 14, "no-memory": 12, "delays": 8, "synapses": 8, "feed-forward": 8,
          "kept-packed-guarded": 20}  # per cent of `--count`, and a fifth more in what these six lack
CHOSEN = {"kept-packed-guarded": r"kept_\w+|neuron_\w+|two_of_four\d|logit_drain|watchdog|\w+_check|\w+_parity|"
                                 r"parity_count|zero_skip|spike_select|sequencer|accelerator"}  # their blocks
WAIVED = ("-Wno-UNOPTFLAT", "-Wno-CASEOVERLAP")  # a changed bit cuts a vector up, and Verilator sees loops of vectors
AT_ONCE = 25


def configuration(name):
    """`tiny`, or one of `cosim.bench.configurations`."""
    return configs.load(name) if name == "tiny" else configurations.named(name)


def model(config, text):
    """Folder of the program `trial` around the Verilog of all mutants."""
    return builder.build(builder.Design(
        label=f"{config.name}-mutants", top=mutation.TOP,
        sources={"accelerator.v": text, "geometry.hpp": geometry.header(config)},
        mains={"trial": ROOM / "trust" / "trial.cpp"}, headers=(ROOM / "rtl" / "model_access.hpp",),
        verilator=(*harness.FAST, *WAIVED), defines=(f"-I{ROOM / 'rtl'}",), optimise="-O1"))


def play(folder, script, numbers):
    """Mutant -> what noticed it, "" where nothing did; number 0 is the design itself."""
    run = subprocess.run([folder / "trial", script, *map(str, numbers)], capture_output=True, text=True)
    if run.returncode:
        raise HarnessError(f"trial: {run.stderr.strip()[-300:]}")
    said = {}
    for line in run.stdout.splitlines():
        number, when, *what = line.split(maxsplit=2)
        if number.isdecimal():
            said[int(number)] = "" if when == "alive" else what[0]
    return {n: said.get(n, "does not settle") for n in numbers}


def examined(name, count, seed, wanted=lambda mutant: True, from_reset=False):
    """All of one configuration, or the `wanted`: a list of mutants as plain values, with `noticed` and `equivalent`.

    `from_reset`: those that only an unreachable state tells are equivalent too, if a proof says so.
    """
    config = configuration(name)
    path = FOLDER / f"{name}-{count}-{seed}.json"
    with tempfile.TemporaryDirectory(prefix="sottovoce-") as place:
        script = Path(place) / "script"
        scenarios.script(config, seed).save(script)
        text, mutants = mutation.mutated(config, count, seed, wanted, CHOSEN.get(name))
        folder = model(config, text)
        key = f"{folder.name} {hashlib.sha256(script.read_bytes()).hexdigest()[:16]}"
        kept = store.read_json(path)
        kept = kept if kept.get("key") == key else {"key": key}
        noticed = {int(k): v for k, v in kept.get("noticed", {}).items()}
        if (what := play(folder, script, [0])[0]):
            raise HarnessError(f"{name}: the design itself fails the scenarios: {what}")
        todo = [m.number for m in mutants if m.number not in noticed]
        with tqdm(total=len(mutants), initial=len(noticed), desc=name, unit="mutant", disable=None) as bar:
            for at in range(0, len(todo), AT_ONCE):
                noticed |= play(folder, script, todo[at:at + AT_ONCE])
                kept["noticed"] = noticed
                store.write_json(path, kept)
                bar.update(len(todo[at:at + AT_ONCE]))
        shown = _shown_equivalent(config, [m for m in mutants if not noticed[m.number]], place, path, kept,
                                  from_reset)
    return [asdict(m) | {"config": name, "block": block_of(name, m), "what": m.what, "noticed": noticed[m.number],
                         "equivalent": m.number in shown, "shown_by": shown.get(m.number, "")} for m in mutants]


def block_of(name, mutant):
    """What a mutant's block is called in the figures: logits leave another machine's PE sets through another block."""
    direct = mutant.block == "logit_drain" and configuration(name).drain == "direct"
    return "direct_drain" if direct else mutant.block


def _shown_equivalent(config, alive, place, path, kept, from_reset):
    """Number -> what shows that a mutant is the design; each answer is kept as it comes."""
    key = "shown_from_reset" if from_reset else "shown_by"
    told = {int(k): v for k, v in kept.get(key, {}).items()}
    if todo := [m for m in alive if m.number not in told]:
        flat = mutation.flattened(config, place)
        with Progress(f"{config.name}: {len(todo)} that nothing noticed, to the solver"):
            told |= {number: equivalence.NO_STATE for number in equivalence.equivalent(flat, todo)}
        for mutant in tqdm([m for m in todo if m.number not in told], desc="one by one", unit="mutant", disable=None):
            told[mutant.number] = equivalence.shown_later(flat, mutant, from_reset)
            store.write_json(path, kept | {key: told})
    return {number: how for number, how in told.items() if how}


def figures(rows):
    """Counts, the score by block, and every survivor."""
    blocks = {}
    for r in rows:
        score = blocks.setdefault(r["block"], {"mutants": 0, "killed": 0, "equivalent": 0})
        score["mutants"] += 1
        score["killed"] += bool(r["noticed"])
        score["equivalent"] += r["equivalent"]
    ways = {}
    for r in rows:
        if r["noticed"]:
            ways[r["noticed"]] = ways.get(r["noticed"], 0) + 1
    left = [named(r) for r in rows if not r["noticed"] and not r["equivalent"]]
    return summed(blocks) | {"mutants_by_block": dict(sorted(blocks.items())), "mutants_noticed_by": ways,
                             "survivors": left}


def summed(blocks):
    """Counts over all blocks, and the score in per cent."""
    whole = {key: sum(score[key] for score in blocks.values()) for key in ("mutants", "killed", "equivalent")}
    return whole | {"mutants_score": round(100 * whole["killed"] / max(1, whole["mutants"] - whole["equivalent"]), 2)}


def merged(found, rows):
    """Published figures, with what is known of their survivors now."""
    blocks = {name: dict(score) for name, score in found["mutants_by_block"].items()}
    ways, ended = dict(found["mutants_noticed_by"]), set()
    for r in rows:
        if r["noticed"] or r["equivalent"]:
            ended.add(named(r))
            blocks[r["block"]]["killed" if r["noticed"] else "equivalent"] += 1
        if r["noticed"]:
            ways[r["noticed"]] = ways.get(r["noticed"], 0) + 1
    return summed(blocks) | {"mutants_by_block": blocks, "mutants_noticed_by": ways,
                             "survivors": [line for line in found["survivors"] if line not in ended]}


def added(old, rows):
    """Published figures, and those of further configurations on top."""
    more = figures(rows)
    blocks = {name: dict(score) for name, score in old["mutants_by_block"].items()}
    for name, score in more["mutants_by_block"].items():
        kept = blocks.setdefault(name, dict.fromkeys(score, 0))
        blocks[name] = {key: kept[key] + count for key, count in score.items()}
    ways = dict(old["mutants_noticed_by"])
    for what, count in more["mutants_noticed_by"].items():
        ways[what] = ways.get(what, 0) + count
    return summed(blocks) | {"mutants_by_block": dict(sorted(blocks.items())), "mutants_noticed_by": ways,
                             "survivors": old["survivors"] + more["survivors"]}


def named(row):
    """A mutant in one line, as it stands in `survivors`."""
    return f"{row['config']}, {row['block']}: {row['what']}"


def table(found):
    """The score by block in lines."""
    rows = [(name, s["mutants"], s["killed"], s["equivalent"], s["mutants"] - s["killed"] - s["equivalent"])
            for name, s in found["mutants_by_block"].items()]
    return results.plain_table(("block", "mutants", "killed", "equivalent", "survive"), rows)


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--count", type=options.whole, default=1100, help="mutants, over all configurations")
    parser.add_argument("--seed", type=options.from_zero, default=1, help="of mutants and scenarios")
    parser.add_argument("--only", nargs="+", choices=list(SHARES), help="some configurations")
    parser.add_argument("--add", action="store_true",
                        help="put those of `--only`, which the published figures lack, on top of them")
    parser.add_argument("--survivors", action="store_true",
                        help="play again those that the published figures name, of the same count and seed")
    parser.add_argument("--from-reset", action="store_true",
                        help="prove of what nothing notices that no reachable state tells it (minutes each)")
    store.add_publish(parser)


def refuse_again(known, names):
    """Refuses configurations that the published figures have already."""
    recipes = known["recipes"]
    there = [recipes[part]["config"] for part in recipes if part.startswith("mutants")]
    again = [name for name in names or SHARES if any(name in found.split(", ") for found in there)]
    if again:
        raise CosimError(f"--add: the published figures have {again[0]} already: leave --add out, and play all")


def of_survivors(lines, names):
    """Those of the configurations `names` that have survivors: a netlist without a mutant has no number to choose."""
    return [name for name in names if any(line.startswith(f"{name}, ") for line in lines)]


def run(args):
    """Play all, keep the figures; 1 if less than 97 of 100 of those that can be told from the design are noticed."""
    torch.set_num_threads(1)
    known = store.read_json(store.results("trust.json", publish=True)) if args.survivors or args.add else {}
    if args.add:
        refuse_again(known, args.only)
    rows, names = [], args.only or list(SHARES)
    if args.survivors:
        names = of_survivors(known["survivors"], names)
    for name in names:
        def wanted(mutant, name=name):
            return named({"config": name, "block": block_of(name, mutant), "what": mutant.what}) in known["survivors"]

        count = max(20, args.count * SHARES[name] // 100)
        rows += examined(name, count, args.seed, wanted if args.survivors else lambda mutant: True, args.from_reset)
        found = merged(known, rows) if args.survivors else added(known, rows) if args.add else figures(rows)
        print(f"{name}: {found['mutants_score']} % so far", file=sys.stderr, flush=True)
    for row in rows if args.survivors else ():
        print(f"{named(row)}: {row['noticed'] or row['shown_by'] or 'survives'}")
    print(table(found))
    for line in found["survivors"]:
        print(f"survives: {line}")
    print(f"{found['mutants']} mutants, {found['killed']} killed, {found['equivalent']} equivalent: "
          f"{found['mutants_score']} %")
    part = "mutants, the survivors again" if args.survivors else \
        f"mutants, {' '.join(args.only)}" if args.add else "mutants"
    note = "the survivors of the recipe `mutants`, played again; what that run killed was not" * args.survivors
    path = results.update(found, part, {"command": args.command, "config": ", ".join(args.only or SHARES),
                                        "note": note}, args.publish, "trust.json")
    print(f"figures: {path}")
    return 0 if found["mutants_score"] >= 97 else 1
