"""Sweep knobs of the machine and sizes of the network: error, energy, area, latency, and what nothing else beats.

    sottovoce explore --model rsnn-phone --knob lanes=32,64,128 --knob lif_lanes=16,32 --mode t2_union
    sottovoce explore --model rsnn-phone --knob lanes=16,32,64,128 --estimate        unmapped points by a fit
    sottovoce explore --config keywords --knob layers.neurons=64,96,128 --train "rsnn-keywords --nested --epochs 5"
    sottovoce explore --model rsnn --knob lanes=64,128 --ray auto                    the same over a Ray cluster

A knob is a field of the configuration (`lanes`, `layers.1.neurons`, `mechanisms.union_skip`; `layers.FIELD` turns all
layers). Trained networks keep every answer: each point runs the embedded recording on the RTL and must equal the golden
model in each value. With --train a network is trained for each configuration, and its own held-out speakers tell its
error. Every point leaves a record in OUT/points and is not measured twice; a sweep that was cut off goes on. With --ray
the points are shared over a cluster whose machines see the same OUT.
"""

import shlex
from pathlib import Path

from tqdm import tqdm

from cosim import models
from cosim.explore import estimate, front, measure, points
from hw import config as configs
from hw import store
from hw.flow.lib import library as libraries
from hw.flow.lib import memories
from hw.interface import ALL_MODES
from sw import options


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--model", nargs="+", default=[], help=f"networks: {', '.join(models.names())}, or folders "
                        "(default: rsnn-phone, where nothing is trained)")
    parser.add_argument("--config", nargs="+", default=[], help="with --train: configurations by name or YAML file")
    parser.add_argument("--knob", action="append", default=[], metavar="FIELD=VALUE,VALUE",
                        help="field of the configuration and its values; several knobs span all combinations")
    parser.add_argument("--mode", nargs="+", choices=ALL_MODES, default=[],
                        help="modes (default: all that the network was trained for)")
    parser.add_argument("--train", default="", metavar="ARGS", help="train a network for each configuration: model and "
                        "options of `sottovoce train`, as one text; with --nested or --develop its error is of a "
                        "development part")
    parser.add_argument("--estimate", action="store_true",
                        help="map nothing: physical figures from the points measured in OUT, by a fit, marked so")
    parser.add_argument("--macros", choices=memories.PREFERENCES, default="area", help="choice of SRAM macros")
    parser.add_argument("--lib", default="ihp-sg13g2", help="ihp-sg13g2, nangate45 or the path of a .lib file")
    parser.add_argument("--pdk", help="folder with the IHP views")
    parser.add_argument("--jobs", type=options.whole, default=1, help="processes on this machine")
    parser.add_argument("--ray", metavar="ADDRESS", help="share the points over a Ray cluster (auto, or HOST:PORT)")
    parser.add_argument("--out", type=Path, default=Path("build/explore"), help="folder")
    store.add_publish(parser)


def bases(args):
    """[(source, configuration, time steps)] that the knobs turn."""
    if bool(args.config) != bool(args.train):
        raise ValueError("--config and --train go together: networks are trained for configurations" +
                         ("" if args.config else "; name one with --config"))
    if args.train and args.model:
        raise ValueError(f"--model {args.model[0]}: is trained already; leave --train or --model out")
    if args.train:
        return [(f"trained: {args.train}", configs.load(name), None) for name in args.config]
    found = [(str(name), models.load(name)) for name in args.model or ["rsnn-phone"]]
    return [(name, model.config, model.time_steps) for name, model in found]


def workers(args):
    """joblib's settings of where machines are measured."""
    if not args.ray:
        return dict(backend="loky", n_jobs=args.jobs)
    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError:
        raise ValueError(f"--ray {args.ray}: Ray is not installed: pip install 'sottovoce[ray]'") from None
    try:
        ray.init(address=None if args.ray == "local" else args.ray, log_to_driver=False)
    except (ConnectionError, ValueError) as error:
        raise ValueError(f"--ray {args.ray}: no cluster there ({str(error).splitlines()[0]}); start one with "
                         "`ray start --head`, or give local") from None
    register_ray()
    return dict(backend="ray", n_jobs=-1)


def sweep(args, todo):
    """Measure what has no record yet, machine by machine."""
    from joblib import Parallel, delayed, parallel_config
    machines = {}
    for point in todo:
        machines.setdefault(point.machine, []).append(point)
    job = {"train": shlex.split(args.train), "lib": args.lib, "pdk": args.pdk, "out": str(args.out.absolute()),
           "physical": measure.ESTIMATED if args.estimate else measure.MEASURED, "command": args.command}
    if not machines:
        return
    tasks = [delayed(measure.machine)(job, m) for m in machines.values()]
    with parallel_config(**workers(args)):
        if args.ray:  # its backend gives everything at the end; joblib prints how far it is
            Parallel(verbose=10)(tasks)
            return
        with tqdm(total=len(todo), desc="points", unit="point", disable=None) as bar:
            for rows in Parallel(return_as="generator_unordered")(tasks):
                bar.update(len(rows))


def collected(args, wanted):
    """The records of the points, each with its physical figures, measured or estimated; and the fit's error."""
    library = libraries.load(args.lib, args.pdk, "typ")
    kept = [(p, store.read_json(measure.record_path(args.out, p))) for p in wanted]
    samples = [(p.named, r) for p, r in kept if r.get("physical") == measure.MEASURED]
    if not args.estimate:
        return [r for _, r in kept], None
    samples = [*samples, *elsewhere(args, {r["config"] for _, r in samples}, library.name)]
    fit, error = estimate.Fit(samples), estimate.left_out(samples, library)
    out = []
    for p, r in kept:
        if r.get("physical") != measure.MEASURED:
            r = r | fit.figures(p.named, library, r["cycles_per_frame"], r["reads"], args.macros) | {
                "physical": measure.ESTIMATED, "method": f"fit to {len(samples)} measured points, "
                f"off by {error[0]:.1f} % on average and {error[1]:.1f} % at worst on machines left out of it"}
        out.append(r)
    return out, error


def elsewhere(args, names, library):
    """Measured points of OUT that are not of this sweep: (configuration, record)s."""
    for path in sorted((args.out / "points").glob("*.json")):
        record = store.read_json(path)
        if (record.get("physical"), record["library"]) == (measure.MEASURED, library) and record["config"] not in names:
            yield configs.from_dict(record["configuration"], str(path)), record


def run(args):
    """Measure, print the table, draw the front."""
    library = libraries.load(args.lib, args.pdk, "typ")
    knobs = points.parse(args.knob)
    wanted, refused = points.span(bases(args), knobs, args.mode, bool(args.train), args.macros)
    for line in refused:
        print(f"left out: {line}")
    if not wanted:
        raise ValueError("no point is left: every combination was refused")
    done = [p for p in wanted if complete(args, p, library.name)]
    print(f"{len(wanted)} points, {len(done)} of them measured before")
    sweep(args, [p for p in wanted if p not in done])
    records, error = collected(args, wanted)
    axes = front.axes_of(records)
    best = front.front(records, axes)
    for i, record in enumerate(records):
        record["front"] = i in best
    targets = [args.out / "explore.json", *([store.results("explore.json", True)] if args.publish else [])]
    pictures = [args.out / "explore.png", *([store.results("explore.png", True)] if args.publish else [])]
    for target in targets:
        store.write_json(target, {
            "recipe": store.recipe(args.command, note="front: " + ", ".join(axes)), "refused": refused,
            "estimate_error_percent": error and {"mean": round(error[0], 2), "worst": round(error[1], 2)},
            "points": records})
    store.write_atomically(args.out / "explore.md", front.table(records, best).encode())
    for target in pictures:
        front.picture(records, best, target)
    print(front.table(records, best))
    if error:
        print(f"estimates: off by {error[0]:.1f} % on average, {error[1]:.1f} % at worst, on machines left out of the "
              "fit")
    print(f"* nothing is better in {', '.join(front.AXES[a] for a in axes)}; {args.out}: explore.json, .md, .png")


def complete(args, point, library):
    """Whether the point's record has all that this sweep asks."""
    record = store.read_json(measure.record_path(args.out, point))
    return bool(record) and record["library"] == library and (args.estimate or
                                                              record.get("physical") == measure.MEASURED)
