"""A network of another library, from a NIR graph to a configuration, integers and a report of what was rounded.

    sottovoce import model.nir --features 40 --calibration features.npy --out build/networks/mine
    sottovoce import model.nir --calibration features.npy --dt 1e-3 --weight-bits 8 --lanes 64

Writes config.yaml, weights.safetensors, manifest.json and report.json, all of them or none. See docs/networks.md.
"""

import hashlib
import json
import re
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
import yaml
from tqdm import tqdm

from hw import config as hw_config
from hw import store
from sw import golden
from sw.integers.integer_model import IntegerModel
from sw.networks import agreement, build, calibration, chain, dynamics, graph, reference, report
from sw.networks.graph import GraphError

DT = 1e-4                # what snnTorch and SpikingJelly write graphs for
OUT = "build/networks"
MOST_FIT_FRAMES = 4096   # calibration frames that neurons are tuned on; more of them tell little more


@dataclass(frozen=True)
class Imported:
    """An imported network: the model and its report, plain values."""

    model: IntegerModel
    report: dict


def settings(found, base, asked):
    """What is known before the graph's numbers: fields of the configuration, dt, resets, time steps, final `Config`.

    In rising order: what the graph's metadata say (those that `sottovoce export` wrote), the configuration `base`, and
    `asked`, the options given.
    """
    noted, final = {}, None
    if "sottovoce" in found.metadata:
        try:
            noted = json.loads(found.metadata["sottovoce"])
            final = hw_config.from_dict(noted["config"], "metadata of the graph")
        except (TypeError, KeyError, json.JSONDecodeError, RecursionError) as error:
            raise GraphError(f"metadata 'sottovoce' of the graph is damaged ({error!r}): delete it, or export again"
                             ) from None
    fields = {key: getattr(c, key) for c in (final, base) if c for key in build.GIVEN}
    fields |= {key: value for key, value in asked.items() if key in build.GIVEN and value is not None}
    same = final if final and all(fields[key] == getattr(final, key) for key in build.GIVEN) else None
    resets = {name: asked.get("reset") or noted.get("resets", {}).get(name, "zero") for name in found.nodes}
    return fields, asked.get("dt") or noted.get("dt", DT), resets, noted.get("time_steps", 1), same


def no_bar(items, desc):
    """Progress for those who want none."""
    return items


def run_import(path, *, features=None, samples=None, feature_step=None, base=None, name=None, progress=no_bar, **asked):
    """Import a NIR graph file; returns `Imported`. Writes nothing. Raises `GraphError` or `ConfigError`.

    `samples`: a .npy of calibration features; `base`: a `Config` whose sizes and formats are taken; `asked`: dt, reset,
    weight_bits, lanes, lif_lanes and other fields of `build.GIVEN`.
    """
    began = time.perf_counter()
    found = graph.read(path)
    mapped = chain.chain(found)
    if features not in (None, mapped.features):
        raise GraphError(f"{path}: takes {mapped.features} features, but --features says {features}")
    fields, dt, resets, steps, final = settings(found, base, asked)
    layers, head = build.padded(*dynamics.fold(mapped, dt, resets, steps))
    heard = calibration.load(samples, mapped.features, feature_step) if samples else \
        calibration.noise(mapped.features, feature_step)
    config = build.draft(name or plain_name(path), layers, head, fields)
    fit, check = heard.held_back
    fit = slice(*fit.indices(len(heard.integers))[:2], max(1, heard.integers[fit].shape[0] * heard.integers.shape[1]
                                                          // MOST_FIT_FRAMES))
    potentials, float_bar, layer_bar = {}, *(partial(progress, desc=text) for text in ("float network", "layers"))
    spikes = reference.run(found, np.repeat(heard.floats[fit], steps, 1), dt, resets, float_bar, potentials)
    wide = {layer.name: layer.neurons for layer in layers}
    known = tuple({n: np.pad(part[n], ((0, 0), (0, 0), (0, wide[n] - part[n].shape[-1]))) for n in wide}
                  for part in (spikes, potentials))
    made = build.quantised(layers, head, config, heard.integers[fit], known, heard.feature_step, layer_bar,
                           given=tuple(fields), final=final, steps=steps)
    wanted = reference.run(found, np.repeat(heard.floats[check], steps, 1), dt, resets, float_bar)
    trace = golden.run(made.model, heard.integers[check], progress=partial(progress, desc="integer network"))
    values = {
        "source": Path(path).name, "source_sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest(),
        "dt": dt, "resets": {layer.name: resets[layer.name] for layer in mapped.layers}, "time_steps": steps,
        "features": mapped.features, "feature_step": heard.feature_step, "calibration": {
            "source": heard.source, "clips": len(heard.integers), "frames_a_clip": heard.integers.shape[1],
            "clips_fitted": len(heard.integers[fit]), "clips_compared": len(heard.integers[check]),
            "values_clipped": heard.clipped, "features_rounded_by": heard.rounding},
        **compared(mapped, head, made, trace, wanted)}
    values["seconds"] = round(time.perf_counter() - began, 1)
    noted = {key: values[key] for key in ("source", "source_sha256", "dt", "feature_step", "features", "readout",
                                          "spike_agreement")}
    model = replace(made.model, manifest={
        "model": "nir", **store.recipe("", packages=("nir", "torch")),
        "logit_step": made.readout_step, "import_seconds": values["seconds"], **noted})
    values |= {"sha256": model.sha256, "config": model.config.to_dict()}
    return Imported(model, json.loads(json.dumps(values, default=asdict)))


def compared(mapped, head, made, trace, wanted):
    """What was rounded in each layer, and how far golden's `trace` and the float network, `wanted`, agree."""
    steps, size = trace.spikes.shape[3], {layer.name: layer.neurons for layer in mapped.layers}
    got = {name: trace.spikes[:, :, k, :, :count].flatten(1, 2).numpy() for k, (name, count) in enumerate(size.items())}
    logits = readout(made, head, trace.logits.numpy()[..., :made.outputs], steps)  # (B, T, O)
    values, = (wanted[name] for name in wanted if name not in size)
    values = values.reshape(*logits.shape[:2], steps, -1).sum(2)
    return {
        "layers": [{"name": layer.name, "neurons": layer.neurons, "recurrent": layer.recurrent is not None,
                    **done.errors, "agreement": agreement.of_layer(got[layer.name], wanted[layer.name])}
                   for layer, done in zip(mapped.layers, made.layers, strict=True)],
        "readout": {"name": head.name, "kind": head.kind, "step": made.readout_step, "outputs": made.outputs,
                    "constant": head.constant.tolist(), "beta": None if head.beta is None else head.beta.tolist(),
                    "agreement": agreement.of_readout(logits, values)},
        "spike_agreement": agreement.overall(got, wanted),
        "first_divergence": agreement.first_divergence(got, {name: wanted[name] for name in size}),
        "saturated_potentials": trace.saturations}


def readout(made, head, logits, steps=1):
    """Integer logits (B, T, O) as the graph's own values: their step, constant, and the leak of a leaky readout."""
    values = logits * made.readout_step + head.constant * steps
    if head.beta is not None:
        for t in range(1, values.shape[1]):
            values[:, t] += head.beta * values[:, t - 1]
    return values


def plain_name(path):
    """A configuration's name from a file's."""
    name = re.sub(r"[^a-z0-9._-]+", "-", Path(path).stem.lower()).strip("-._")[:64]
    return name or "network"


def write(imported, folder):
    """Write the network's folder whole, or leave what was there. Raises `GraphError` if something else is there."""
    folder = Path(folder)
    if folder.exists() and not (folder.is_dir() and ((folder / "report.json").is_file() or not any(folder.iterdir()))):
        raise GraphError(f"{folder} is there and is no imported network: name another folder with --out")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as work:
        fresh, old = Path(work) / "new", Path(work) / "old"
        imported.model.save(fresh)
        plain = json.loads(json.dumps(imported.model.config.to_dict(), default=asdict))
        text = yaml.safe_dump(plain, sort_keys=False, default_flow_style=None, width=100)
        (fresh / "config.yaml").write_text(f"# From {imported.report['source']} by `sottovoce import`.\n{text}")
        store.write_json(fresh / "report.json", imported.report)
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)


def add_arguments(p):
    """Options of the command."""
    p.add_argument("graph", type=Path, help="NIR graph file (.nir)")
    p.add_argument("--features", type=int, help="values a frame that the graph must take; checked")
    p.add_argument("--calibration", type=Path, metavar="FILE",
                   help=".npy of features (clips, frames, features): int8 values, or floats, which are scaled; without "
                        "it int8 noise, and the agreement printed is that of noise")
    p.add_argument("--feature-step", type=float, metavar="STEP",
                   help="what an int8 feature of 1 is to the graph (default: 1 for int8 files; for floats the 99.9th "
                        "percentile over 127)")
    p.add_argument("--dt", type=float,
                   help=f"seconds a time step that the graph was written for (default: {DT:g}, or the graph's note)")
    p.add_argument("--reset", choices=hw_config.RESETS,
                   help="of all neurons: NIR cannot say that a reset subtracts the threshold (default: zero, or the "
                        "graph's own note)")
    p.add_argument("--config", help="take sizes and formats (lanes, bits, mechanisms) from this configuration")
    p.add_argument("--weight-bits", type=int, help="2 to 8 (default: 4)")
    p.add_argument("--lanes", type=int,
                   help=f"lanes of a PE set (default: the widest layer, at most {build.MOST_LANES})")
    p.add_argument("--lif-lanes", type=int, help="neurons that the LIF unit serves a cycle (default: lanes)")
    p.add_argument("--name", help="of the configuration (default: the file's)")
    p.add_argument("--out", type=Path, help=f"folder to write (default: {OUT}/NAME)")
    p.add_argument("--quiet", action="store_true", help="no progress bars")


def run(args):
    for option in ("dt", "feature_step"):
        value = getattr(args, option)
        if value is not None and not (np.isfinite(value) and value > 0):
            raise GraphError(f"--{option.replace('_', '-')} {value:g}: wanted a number above 0")

    def progress(items, desc):
        return tqdm(items, desc, file=sys.stderr, disable=args.quiet, leave=False)
    torch.set_num_threads(1)  # many small steps: a second thread waits more than it works
    base = hw_config.load(args.config) if args.config else None
    done = run_import(args.graph, features=args.features, samples=args.calibration, feature_step=args.feature_step,
                      base=base, name=args.name, progress=progress, dt=args.dt, reset=args.reset,
                      weight_bits=args.weight_bits, lanes=args.lanes, lif_lanes=args.lif_lanes)
    out = args.out or Path(OUT) / done.model.config.name
    write(done, out)
    print(report.text(done.report, out))
    return 0
