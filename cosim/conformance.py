"""Whole real utterances through the Verilated design and the golden model: every spike, potential, logit and counter.

    sottovoce conformance                       the embedded recording, and dev utterances where a data folder is
    sottovoce conformance --model FOLDER        a network of one's own

One and two time steps, every mode that the network was trained for.
"""

from pathlib import Path

import numpy as np

from cosim import models, results
from cosim.bench.networks import random_utterances
from cosim.rtl import side_by_side
from hw import config as configs
from hw import store
from hw.interface import ALL_MODES
from sw import golden, options
from sw.data import audio, manifest

DATA = Path("../shared/data/phones")
DRAWN = (300, 300)  # frames of drawn features, for a network that hears no recordings


def recordings(folder, count):
    """The embedded recording, then `count` dev utterances of a manifest folder: list of paths."""
    paths = [models.CLIP]
    if folder:
        paths += [u.audio for u in manifest.load(folder, splits=("dev",))][:count]
    return paths


def data_folder(given):
    """The folder to read: the one that was named, which must be there, else the default one if it is."""
    if given is None and not DATA.is_dir():
        print(f"only the embedded recording is run: {DATA} is absent; name a folder with --data")
        return None
    return given or DATA


def measure(trained, paths):
    """Mode name -> (`side_by_side.Outcome`, utterances) of every mode of the models, and a line for what differs."""
    outcomes = {}
    for name in models.modes(trained):
        model = next(m for steps, m in trained.items() if steps == ALL_MODES[name].time_steps)
        if models.hears(model):
            utterances = [u for path in paths for u in models.hear(model, audio.read(path)).utterances]
        else:
            utterances = random_utterances(model.config, 0, DRAWN)
        outcomes[name] = side_by_side.check(model, name, utterances), len(utterances)
        if outcomes[name][0].first:
            print(f"{name}: first difference: {outcomes[name][0].first}")
    return outcomes


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--model", default=models.PAIR,
                        help=f"{', '.join(models.names())}, or a folder (default: %(default)s, the published network)")
    parser.add_argument("--config", help="run its weights on this machine of the same shape, by name or file "
                        "(default: the model's own)")
    parser.add_argument("--data", type=Path,
                        help=f"folder with a manifest.csv and dev utterances (default: {DATA}, if it is there)")
    parser.add_argument("--count", type=options.from_zero, default=20, help="dev utterances (default: %(default)s)")
    store.add_publish(parser)


def run(args):
    """Compare; 1 if anything differs."""
    trained = models.by_time_steps(args.model)
    if args.config:
        trained = {steps: models.on(model, configs.load(args.config)) for steps, model in trained.items()}
    if all(models.hears(model) for model in trained.values()):
        data = data_folder(args.data)
        paths = recordings(data, args.count)
        said = f"embedded recording and {len(paths) - 1} dev utterances"
    else:
        data, paths, said = None, [], f"drawn features, {sum(DRAWN)} frames: the model carries no normalisation"
        print(f"{said}: recordings are not for it")
    published = publish(args, data)
    outcomes = measure(trained, paths)
    config = next(iter(trained.values())).config
    values, rows = {}, []
    for name, (outcome, utterances) in outcomes.items():
        interval = outcome.run.prediction.phases.sum(1)
        rows.append([name, utterances, len(interval), f"{outcome.compared:,}", outcome.differences,
                     f"{interval.mean():.1f}", interval.max()])
        # a frame's count, first feature in to last logit out, is its slots plus arrival and drain
        values[f"cycles_{name}_real"] = round(float(interval.mean() + golden.ends(config)), 1)
        values[f"cycles_{name}_real_p95"] = round(float(np.percentile(interval, 95) + golden.ends(config)), 1)
    print(results.plain_table(["mode", "utterances", "frames", "values", "differ", "cycles a frame", "most"], rows))
    compared, differences = (sum(getattr(o, n) for o, _ in outcomes.values()) for n in ("compared", "differences"))
    print(f"{compared:,} values compared, {differences} differences")
    frames = sum(len(o.run.prediction.logits) for o, _ in outcomes.values())
    path = results.update({"values_compared": compared, "differences": differences, "frames": frames} | values,
                          "conformance", {
        "command": args.command, "config": config.name,
        "models": {str(steps): model.sha256 for steps, model in trained.items()},
        "data": said,
        "compared": "spikes and potentials after each LIF evaluation, logits, cycles, row reads: every frame"},
        published)
    print(f"figures: {path}")
    return 1 if differences else 0


def publish(args, data):
    """Whether figures go into docs/results: only those of the published network on the data folder belong there."""
    if args.publish and (args.model != models.PAIR or args.config or not data):
        raise ValueError(f"--publish: docs/results holds the figures of --model {models.PAIR} on a data folder; "
                         f"got --model {args.model}, --config {args.config}, --data {data}")
    return args.publish
