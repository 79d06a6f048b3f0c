"""One training loop for every model here: scheduled rate, atomic checkpoints, exact resumption, torchrun.

A run is a folder: `last.pt` (weights, optimiser, epoch), `curve.csv`, `manifest.json`. All randomness of an epoch comes
from (seed, epoch), so a run that is killed goes on from its last epoch to the same result as one that was not.
"""

import copy
import csv
import io
import json
import math
import os
import time
from pathlib import Path

import torch
from torch import distributed
from tqdm import tqdm

from hw import store
from sw.training.optimise import adamw

CHECKPOINT = "last.pt"  # in a run's folder


class CheckpointError(ValueError):
    """A checkpoint that cannot be resumed; the message names the file."""


def cosine(done):
    """Share of the learning rate when a part `done` of the training is over: half a cosine, to 2 %."""
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done))


def cosine_to_zero(done):
    """Share of the learning rate when a part `done` of the training is over: half a cosine, to nothing."""
    return 0.5 * (1 + math.cos(math.pi * done))


def hold_decay(done, hold=0.45):
    """Full rate until `hold` of the training is over, then a square fall to nothing."""
    return min(1.0, (1 - done) / (1 - hold)) ** 2


def fit(model, batches, loss, folder, *, epochs, rate, seed, recipe, clip=1.0, decay=1e-2, quiet=False, warm=0.05,
        optimise=adamw, schedule=cosine, average=0.0, judge=None, device="cpu", mixed=False):
    """Train `model` in place; returns the metrics of the last epoch.

    `batches(epoch)` yields batches and has been given its own seed; `loss(model, batch)` returns (scalar, metrics).
    `recipe` (plain values) goes into the manifest and must match that of a checkpoint that is resumed. `optimise` is
    one of `sw.training.optimise`, `schedule` `cosine` or `hold_decay`, after a rise over the first `warm` of the
    training.
    `average` (below 1): the model ends as the running mean of its weights, which keeps that share in each step.
    `judge(model)`: figure of merit after each epoch, of which the least is best: the model ends as it was then.
    `device`: where it trains; it ends on the CPU. `mixed`: forward passes in bfloat16 where that is safe.
    """
    folder = Path(folder)
    rank, world = join()
    model.to(device)
    optimiser = optimise(model, rate, decay)
    mean = copy.deepcopy(model).requires_grad_(False) if average else None
    start, curve, best = _resume(folder, model, optimiser, recipe, mean)
    metrics = curve[-1] if curve else {}
    for epoch in range(start, epochs):
        torch.manual_seed(seed * 100003 + epoch * world + rank)
        model.train()
        totals, count, began = {}, 0, time.monotonic()
        todo = list(batches(epoch))
        todo = todo[:len(todo) - len(todo) % world or None]  # every process takes as many steps
        bar = tqdm(todo[rank::world], desc=f"{folder.name} {epoch + 1}/{epochs}", disable=quiet or rank > 0,
                   unit="step", mininterval=5)
        for i, batch in enumerate(bar):
            done = (epoch + i * world / len(todo)) / epochs
            rise = min(1.0, done / warm + 1e-3) if warm else 1.0
            for group in optimiser.param_groups:
                group["lr"] = rate * group.get("share", 1.0) * rise * schedule(done)
            optimiser.zero_grad()
            with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=mixed):
                value, parts = loss(model, moved(batch, device))
            value.backward()
            _average_gradients(model, world)
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimiser.step()
            if average:
                _follow(mean, model, average)
            for name, part in {"loss": value.item(), **parts}.items():
                totals[name] = totals.get(name, 0.0) + part
            count += 1
            bar.set_postfix(loss=f"{totals['loss'] / count:.3f}", refresh=False)
        metrics = {"epoch": epoch + 1, **{k: round(v / count, 5) for k, v in totals.items()},
                   "seconds": round(time.monotonic() - began, 1)}
        if not math.isfinite(metrics["loss"]):
            raise FloatingPointError(f"{folder}: loss={metrics['loss']} in epoch {epoch + 1}: lower the learning rate")
        if judge:
            metrics["judged"] = round(judge((mean or model).eval()), 6)
            if metrics["judged"] < min((past["judged"] for past in curve), default=math.inf):
                best = copy.deepcopy((mean or model).state_dict())
        curve.append(metrics)
        if rank == 0:
            _save(folder, model, optimiser, epoch + 1, curve, recipe, mean, best)
    if best or mean:
        model.load_state_dict(best or mean.state_dict())
    model.to("cpu").eval()
    return metrics


def moved(batch, device):
    """A batch with its tensors on a device; anything but tensors and tuples of them is left as it is."""
    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=True)
    return tuple(moved(part, device) for part in batch) if type(batch) is tuple else batch


@torch.no_grad()
def _follow(mean, model, share):
    for old, new in zip(mean.state_dict().values(), model.state_dict().values(), strict=True):
        old.lerp_(new, 1 - share) if old.is_floating_point() else old.copy_(new)


def join():
    """(rank, world) under torchrun, whose process group is joined once; (0, 1) otherwise."""
    if "WORLD_SIZE" not in os.environ:
        return 0, 1
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return distributed.get_rank(), distributed.get_world_size()


def _average_gradients(model, world):
    if world == 1:
        return
    for parameter in model.parameters():
        distributed.all_reduce(parameter.grad)
        parameter.grad /= world


def _save(folder, model, optimiser, epoch, curve, recipe, mean=None, best=None):
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    also = {**({"mean": mean.state_dict()} if mean else {}), **({"best": best} if best else {})}
    torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict(), "epoch": epoch, "curve": curve,
                "recipe": json.dumps(recipe, sort_keys=True), **also}, buffer)
    store.write_atomically(folder / CHECKPOINT, buffer.getvalue())
    text = io.StringIO()
    writer = csv.DictWriter(text, curve[-1].keys())
    writer.writeheader()
    writer.writerows(curve)
    store.write_atomically(folder / "curve.csv", text.getvalue().encode())
    manifest = {**recipe, "sizes": model.sizes, **store.recipe(""), "metrics": curve[-1]}
    store.write_json(folder / "manifest.json", manifest)


def load(folder):
    """The checkpoint of a run as a dict; raises `CheckpointError`."""
    path = Path(folder) / CHECKPOINT
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint")
    try:
        return torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:  # torch raises many kinds for a damaged file
        raise CheckpointError(f"{path}: not a readable checkpoint: {str(error).splitlines()[0]}") from None


def _resume(folder, model, optimiser, recipe, mean=None):
    if not (folder / CHECKPOINT).is_file():
        return 0, [], None
    stored = load(folder)
    if stored["recipe"] != json.dumps(recipe, sort_keys=True):
        raise CheckpointError(f"{folder}: holds a run with another recipe; name another folder or remove it")
    model.load_state_dict(stored["model"])
    optimiser.load_state_dict(stored["optimiser"])
    if mean:
        mean.load_state_dict(stored["mean"])
    return stored["epoch"], stored["curve"], stored.get("best")
