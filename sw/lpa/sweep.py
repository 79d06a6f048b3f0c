"""How hard each layer's attention is to replace by pulses, and the order, easiest first.

    sottovoce lpa-sweep --encoder FOLDER

In every layer an accumulator learns, by itself, to answer what that layer's attention answers on the original's own
frames. The squared error that is left on held-out recordings orders the layers; beside it stands the same over the
answers' variance. Each is then put alone into the encoder, to see whether either predicts the damage.
"""

import json
import logging
import math
from copy import deepcopy
from itertools import islice
from pathlib import Path

import torch
from tqdm import tqdm

from hw import store
from sw import options
from sw.lpa import encoder, kinds, profile, whisper
from sw.lpa.mixing import (
    WARMEST,
    Yardstick,
    heard_of,
    recorded,
    relative_error,
    seen_by,
    set_gates,
    temperature_at,
    timed,
)
from sw.lpa.pretrain import RUN, task_of
from sw.lpa.wave_task import WaveTask
from sw.lpa.whisper_task import WhisperTask, WordYardstick
from sw.training import trainer

SWEEP = "build/runs/lpa/sweep"
SHOWN = 3  # batches by which mixers start that start where attention looks


class Stand(torch.nn.Module):
    """One mixer of a `kind` for each layer of a frozen `teacher`, which is not part of it.

    `shown`: batches by which those kinds start that start where attention looks.
    """

    def __init__(self, teacher, seed=0, kind="pulses", shown=()):
        super().__init__()
        torch.manual_seed(seed)
        attentions = [encoder.attention_of(layer) for layer in encoder.layers_of(teacher)]
        self.look = [teacher]  # in a list, so that it is neither trained nor saved
        self.mixers = torch.nn.ModuleList(kinds.build(kind, a) for a in attentions)
        if kind in kinds.PLACED:
            for mixer, attention, recordings in zip(self.mixers, attentions, looked_at(teacher, shown), strict=True):
                profile.start(mixer.accumulator, attention, recordings, seed)
        self.sizes = {"layers": len(self.mixers), "parameters": sum(p.numel() for p in self.parameters())}

    def errors(self, batch):
        """Relative squared error of each layer's mixer, [()] scalars."""
        heard = heard_of(batch)
        return [relative_error(mixer(place["x"], attention_mask=place["mask"])[0], place["y"], heard)
                for mixer, place in zip(self.mixers, seen_by(self.look[0], batch), strict=True)]


def looked_at(teacher, shown):
    """Frames that each layer's attention sees on batches: [[(frames (T, D), how many are speech)]], a list a layer."""
    layers = [[] for _ in encoder.layers_of(teacher)]
    for batch in shown:
        for recordings, place in zip(layers, seen_by(teacher, batch), strict=True):
            lengths = [batch.speech] if hasattr(batch, "speech") else batch.valid.sum(1).tolist()
            for x, length in zip(place["x"], lengths, strict=True):
                recordings.append((x if hasattr(batch, "speech") else x[:length], length))
    return layers


class LayerLoss:
    """Callable (stand, batch) -> (loss, metrics): the layers' errors added, each reaching its own mixer only.

    The gates stay at their warmest, or with `anneal` cool as in the replacement.
    """

    def __init__(self, anneal=False):
        self.anneal = anneal

    def __call__(self, stand, batch):
        set_gates(stand, temperature_at(batch.progress) if self.anneal else WARMEST, hard=False)
        errors = stand.errors(batch)
        return sum(errors), {f"layer{i}": e.item() for i, e in enumerate(errors)}


@torch.no_grad()
def held_out(stand, work):
    """Squared error of each layer on the held-out recordings, soft gates: [plain], [over the answers' variance]."""
    set_gates(stand, hard=False)
    totals, count = torch.zeros(2, len(stand.mixers)), 0
    for values, attention, lengths in work.held_batches():
        valid = torch.arange(int(lengths.max()))[None] < lengths[:, None]
        with recorded([encoder.attention_of(layer) for layer in encoder.layers_of(stand.look[0])]) as seen:
            stand.look[0](values, attention_mask=attention)
        for i, (mixer, place) in enumerate(zip(stand.mixers, seen, strict=True)):
            got, wanted = mixer(place["x"], attention_mask=place["mask"])[0][valid], place["y"][valid]
            error = (got - wanted).square().mean()
            totals[:, i] += torch.stack((error, error / wanted.var(0).mean())) * len(lengths)
        count += len(lengths)
    return (totals / count).tolist()


def alone(teacher, stand, yardstick, quiet=False, words=True):
    """Each layer replaced by itself, nothing trained after: [(error rate in % or None, KL divergence)], soft gates."""
    figures = []
    for i in tqdm(range(len(stand.mixers)), desc="each layer alone", unit="layer", disable=quiet):
        student = deepcopy(teacher)
        encoder.put(encoder.layers_of(student)[i], deepcopy(stand.mixers[i]))
        set_gates(student.eval(), hard=False)
        figures.append(yardstick.measure(student, quick=not words))
    return figures


def rank_correlation(a, b):
    """Spearman's: correlation of the ranks of two lists without ties."""
    ranks = [torch.tensor(v).argsort().argsort().double() for v in (a, b)]
    return torch.corrcoef(torch.stack(ranks))[0, 1].item()


def folder_of(out, kind):
    """Where the sweep of a kind of mixer is kept: `out` for plain pulses, beside it for the others."""
    return Path(out if kind == "pulses" else f"{out}-{kind}")


def finished(folder):
    """The sweep's figures and its mixers' weights; raises `EncoderError` where there is no sweep."""
    path = Path(folder) / "sweep.json"
    if not path.is_file():
        raise encoder.EncoderError(f"{path}: no such sweep: run `sottovoce lpa-sweep` first")
    weights = trainer.load(folder)["model"]
    return json.loads(path.read_text()), weights


def add_arguments(parser):
    """Options of the command."""
    options.add_phones(parser)
    add_encoder_option(parser)
    parser.add_argument("--out", default=SWEEP, help="folder of the run; kinds other than pulses go to OUT-KIND")
    parser.add_argument("--epochs", type=options.whole, default=2, help="epochs of each layer")
    parser.add_argument("--steps", type=options.whole, default=40, help="batches an epoch")
    parser.add_argument("--rate", type=float, default=4e-3, help="highest learning rate")
    parser.add_argument("--anneal", action="store_true", help="cool the gates while each layer learns by itself")
    parser.add_argument("--quick", action="store_true", help="divergence only of each layer alone, no error rates")
    options.add_run(parser)


def add_encoder_option(parser):
    """Which encoder attention is replaced in."""
    parser.add_argument("--encoder", default=f"{RUN}/model",
                        help="folder of a Wav2Vec2ForCTC, as sw.lpa.pretrain leaves it or pretrained, or of Whisper "
                             "(transformers' or CTranslate2's form); or a hub name")
    parser.add_argument("--kind", choices=kinds.NAMES, default="pulses", help="what is put in attention's place")
    parser.add_argument("--windows", type=options.whole, default=40, help="windows of 30 s that Whisper is shown")


def original(args):
    """(The encoder that the options name, frozen; the task that it is scored on), by what it takes and answers."""
    if args.encoder == f"{RUN}/model" and not Path(args.encoder).is_dir():
        raise encoder.EncoderError(f"{args.encoder}: no such encoder: train one with `sottovoce lpa-encoder`")
    if whisper.is_whisper(args.encoder):
        model = whisper.load(args.encoder).requires_grad_(False)
        return model, WhisperTask(args.data, model, args.windows, quiet=args.quiet, seed=args.seed)
    model = encoder.load(args.encoder).requires_grad_(False)
    if encoder.takes_features(model):
        return model, task_of(args, ("plain",))
    return model, WaveTask(args.data, model, encoder.tokenizer(args.encoder), args.fold, args.folds)


def name_of(teacher, args):
    """What figures call an encoder."""
    return getattr(teacher, "name", Path(args.encoder).name)


def yardstick_of(teacher, work, args):
    """What students of a teacher are measured by."""
    return WordYardstick(teacher, work, args.encoder) if isinstance(work, WhisperTask) else Yardstick(teacher, work)


def run(args):
    """Fit, measure, print the order, write `sweep.json`."""
    options.begin(args)
    logging.getLogger("transformers").setLevel(logging.ERROR)
    teacher, work = original(args)
    folder = folder_of(args.out, args.kind)
    drawn = work.batches(args.seed)
    shown = list(islice(drawn(0), SHOWN))
    stand = Stand(teacher, args.seed, args.kind, shown)
    began = held_out(stand, work)[1]
    heads = [profile.statistics(encoder.attention_of(layer), recordings) for layer, recordings in
             zip(encoder.layers_of(teacher), looked_at(teacher, shown), strict=True)]
    recipe = {"seed": args.seed, "rate": args.rate, "epochs": args.epochs, "steps": args.steps,
              "split": work.split.name, "encoder": name_of(teacher, args), "kind": args.kind, "anneal": args.anneal}
    trainer.fit(stand, timed(drawn, args.steps, args.epochs), LayerLoss(args.anneal), folder, epochs=args.epochs,
                rate=args.rate, seed=args.seed, recipe=recipe, decay=0.0, quiet=args.quiet, clip=10.0)
    errors, relative = held_out(stand, work)
    yardstick = yardstick_of(teacher, work, args)
    single = alone(teacher, stand, yardstick, args.quiet, not args.quick)
    order = sorted(range(len(errors)), key=errors.__getitem__)
    damage = [k for _, k in single]
    figures = {**recipe, "mse": [float(f"{e:.4g}") for e in errors], "relative": [round(e, 4) for e in relative],
               "heads": heads, "relative_at_start": [round(e, 4) for e in began],
               "order": order, "error": yardstick.original, "alone_error": [r for r, _ in single],
               "alone_kl": damage, "mse_to_kl": round(rank_correlation(errors, damage), 3),
               "relative_to_kl": round(rank_correlation(relative, damage), 3),
               **store.recipe(args.command, data=args.data)}
    store.write_json(folder / "sweep.json", figures)
    print(f"original: {yardstick.original:.2f} % error rate ({work.split.name})")
    print("layer          MSE   MSE / variance   error alone   KL alone")
    for i in order:
        print(f"{i:5} {errors[i]:12.4g} {relative[i]:16.4f} {single[i][0] or math.nan:11.2f} % {single[i][1]:10.4f}")
    print(f"order, easiest first: {' '.join(map(str, order))}; rank correlation with KL: MSE {figures['mse_to_kl']}, "
          f"MSE / variance {figures['relative_to_kl']}")
    return 0
