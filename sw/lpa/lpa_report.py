"""Figures and plots of attention replaced by pulses, collected from what the runs left.

    sottovoce lpa-report

Every part carries the command that made it. Parts without a run are left as they were, and named.
"""

import json
from pathlib import Path

from hw import store
from sw.lpa import kinds
from sw.lpa.encoder import EncoderError
from sw.lpa.plots import plot_pretrained, plot_replacement, plot_scaling
from sw.lpa.pretrain import FIGURES, RUN
from sw.lpa.replace import ORIGINAL, RUNS, TABLE, Row
from sw.lpa.scaling import OUT
from sw.lpa.sweep import SWEEP, folder_of

PUBLISHED = {"source": "arXiv 2603.16922, wav2vec2-base, LibriSpeech test-clean, Apple M4 Pro", "layers": 8, "of": 12,
             "word_error_rate": 10.61, "word_error_rate_original": 3.37, "speedup_120s_end_to_end": 3.27}
OLDER = ("torch", "replacement_command", "untrained_command")  # in files of earlier reports; now each run has its own


def parts(args, earlier):
    """What the runs left beside an `earlier` report; raises `EncoderError` where there is nothing at all."""
    found = {}
    measured = store.read_json(args.scaling)
    if measured.get("widths"):
        first = measured["widths"][0]
        found.update(scaling=first["scaling"], exponent_lpa=first["exponent_lpa"],
                     exponent_attention=first["exponent_attention"], crossover_seconds=first["crossover_seconds"],
                     ratio_at_longest=first["scaling"][-1]["ratio"], scaling_by_width=measured["widths"][1:],
                     scaling_recipe={**{k: v for k, v in measured.items() if k != "widths"}, "width": first["width"],
                                     "heads": first["heads"]})
    if swept := store.read_json(Path(args.sweep) / "sweep.json"):
        found["sweep"] = swept
    if encoder := store.read_json(Path(args.encoder) / FIGURES):
        found["encoder"] = encoder
    if whole := measured.get("whole"):
        found.update(speedup=[{"encoder": whole["encoder"], **r} for r in whole["rows"]],
                     speedup_recipe={k: v for k, v in whole.items() if k != "rows"})
    words = pretrained(args, earlier)
    if any(words.values()):
        found.update(words)
    rows, untrained = results(args.runs), results(args.untrained)
    if rows:
        error = found.get("sweep", {}).get("error")
        original = [] if error is None else [{"layers": 0, "order": "none", "error": error, "kl": 0.0}]
        best = next((r for r in rows if Row(8).name == name_of(r)), rows[0])
        found.update(replacement=original + rows, untrained=untrained,
                     near_binary_share=best["near_binary_share"], soft_error=best["soft_error"],
                     hard_error=best["hard_error"], gates_of_row=name_of(best))
    if not found:
        raise EncoderError(f"{args.runs}: no run here: see `sottovoce lpa-sweep`, lpa-train and lpa-scaling")
    return found


def pretrained(args, earlier):
    """What runs in pretrained encoders left, beside the rows and sweeps of an `earlier` report that were not run anew.

    Rows have `encoder`, `wer` and `control`; sweeps are named ENCODER/KIND.
    """
    rows = [r for folder in args.whisper for r in (store.read_json(Path(folder) / ORIGINAL),
                                                   *results(folder), *results(f"{folder}-untrained")) if r]
    rows = {same(r): r for r in (*(r for r in earlier.get("replacement", ()) if "wer" in r), *rows)}
    sweeps = [swept for folder in args.whisper_sweep for kind in kinds.NAMES
              if (swept := store.read_json(folder_of(folder, kind) / "sweep.json"))]
    return {"pretrained": list(rows.values()),
            "pretrained_sweeps": {**earlier.get("pretrained_sweeps", {}),
                                  **{f"{swept['encoder']}/{swept['kind']}": swept for swept in sweeps}}}


def same(row):
    """What makes two rows in a pretrained encoder the same experiment."""
    together = row["epochs"] * row["steps"] if row["layers"] else 0
    return (row["encoder"], row["layers"], row["order"], row["mixer"], row.get("anneal"),
            (row["adapt"], row["rate"], together) if together else None)


def results(folder):
    """What every run under a folder left, each with the command that made it."""
    return [json.loads(p.read_text()) for p in sorted(Path(folder).glob("*/result.json"))]


def name_of(result):
    """The name of the run that a result is of."""
    return Row(*(result[f] for f in Row.__dataclass_fields__)).name


def table(rows):
    """Markdown of the replacement's rows."""
    lines = ["| layers | order | annealed | adapted | mixer | error, hard % | soft % | KL | before training % "
             "| near-binary |", "|---|---|---|---|---|---|---|---|---|---|"]

    def cell(value):
        return "-" if value is None else ("yes" if value else "no") if isinstance(value, bool) else str(value)
    for r in sorted(rows, key=lambda r: (r["layers"], r["order"])):
        share = r.get("near_binary_share")
        lines.append("| " + " | ".join(map(cell, (
            r["layers"], r["order"], r.get("anneal"), r.get("adapt"), r.get("mixer"), r["error"], r.get("soft_error"),
            r["kl"], r.get("untrained_error"), None if share is None else f"{share:.1%}"))) + " |")
    return "\n".join(lines)


def words_table(rows):
    """Markdown of the rows in a pretrained encoder, scored in words."""
    heads = ("encoder", "layers", "order", "in attention's place", "annealed", "adapted", "steps together",
             "word error %", "95 % interval", "test-other", "test-clean", "less the original's", "KL",
             "before training")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for r in sorted(rows, key=lambda r: (r["encoder"] != rows[0]["encoder"], r["layers"], r["control"],
                                         r["order"], r["mixer"])):
        low, high = r["interval"]
        less = "{:+.1f} to {:+.1f}".format(*r["difference_interval"]) if r["layers"] else "-"
        yes = {True: "yes", False: "no", None: "-"}
        together = r["epochs"] * r["steps"] if r["layers"] else 0
        steps = f"{together} at {r['rate']:g}" if together else 0 if r["layers"] else "-"
        cells = (r["encoder"], r["layers"], r["order"], r["mixer"], yes[r.get("anneal")],
                 yes[r.get("adapt") if together else None], steps, f"{r['wer']:.1f}", f"{low:.1f} to {high:.1f}",
                 r.get("test_other", "-"), r.get("test_clean", "-"), less, f"{r['kl']:.3f}", r.get("untrained_kl", "-"))
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--runs", default=f"{RUNS}/replaced", help="folder of the replacement's runs")
    parser.add_argument("--untrained", default=f"{RUNS}/untrained",
                        help="folder of runs without training after the sweep")
    parser.add_argument("--sweep", default=SWEEP, help="folder of the sweep")
    parser.add_argument("--scaling", default=OUT, help="file that `sottovoce lpa-scaling` wrote")
    parser.add_argument("--encoder", default=RUN, help="folder of the encoder's run")
    parser.add_argument("--whisper", nargs="+", default=[f"{RUNS}/whisper"], help="folders of the runs in pretrained "
                        "Whispers; with -untrained to its name, of those without training after the sweep")
    parser.add_argument("--whisper-sweep", nargs="+", default=[f"{RUNS}/whisper-sweep"],
                        help="folders of their sweeps, less -KIND")
    store.add_publish(parser)


def run(args):
    """Collect, plot, print."""
    path, *plots = (store.writable(store.results(name, args.publish))
                    for name in ("lpa.json", "lpa-scaling.png", "lpa-replacement.png", "lpa-whisper.png"))
    kept = {k: v for k, v in store.read_json(path).items() if k not in OLDER}
    stored = {**kept, **store.recipe(args.command), "published": PUBLISHED, **parts(args, kept)}
    words = stored.pop("pretrained", [r for r in stored.get("replacement", ()) if "wer" in r])
    small = [r for r in stored.get("replacement", ()) if "wer" not in r]
    stored["replacement"] = small + words  # one list: those with words have `encoder`, `wer` and `control`
    store.write_json(path, stored)
    if "scaling" in stored:
        plot_scaling(stored, plots[0])
    if small:
        plot_replacement(stored, plots[1])
        print(table(small))
        if stored["untrained"]:
            print("nothing trained after the sweep:\n" + table(stored["untrained"]))
        done = {name_of(r) for r in small if r["layers"]}
        missing = [row.name for row in TABLE if row.name not in done]
        print(f"not run yet: {', '.join(missing)}" if missing else "all rows are there")
    if words:
        plot_pretrained(stored, plots[2])
        print(words_table(words))
    print(f"figures: {path}")
    return 0
