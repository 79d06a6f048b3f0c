"""How hard each layer's attention is to replace: `make lpa-sweep`, or `python -m sw.lpa.sweep --encoder FOLDER`.

In every layer an accumulator learns, by itself, to answer what that layer's attention answers on the original's own
frames. What is left of the error on held-out recordings, over the answers' variance, orders the layers. Each is then
put alone into the encoder, to see whether the error foretells the damage.
"""

import argparse
import json
import logging
import sys
from copy import deepcopy
from itertools import islice
from pathlib import Path

import torch
from tqdm import tqdm

from sw import trainer
from sw.integer_model import write_atomically
from sw.lpa import encoder
from sw.lpa.mixing import compare, recorded, relative_error, set_gates
from sw.lpa.pretrain import RUN, add_data_options, run, task_of
from sw.lpa.task import error_rate
from sw.lpa.waves import WaveTask
from sw.models.lpa_attention import in_place_of

SWEEP = "build/runs/lpa/sweep"


class Stand(torch.nn.Module):
    """One accumulator for each layer of a frozen `teacher`, which is not part of it."""

    def __init__(self, teacher, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.attentions = [layer.attention for layer in encoder.layers_of(teacher)]
        self.look = [teacher]  # in a list, so that it is neither trained nor saved
        self.mixers = torch.nn.ModuleList(in_place_of(a) for a in self.attentions)
        self.sizes = {"layers": len(self.mixers), "parameters": sum(p.numel() for p in self.parameters())}
        del self.attentions

    def errors(self, values, attention, valid):
        """Relative squared error of each layer's accumulator, [()] scalars."""
        teacher = self.look[0]
        with torch.no_grad(), recorded([layer.attention for layer in encoder.layers_of(teacher)]) as seen:
            teacher(values, attention_mask=attention)
        return [relative_error(mixer(place["x"], attention_mask=place["mask"])[0], place["y"], valid)
                for mixer, place in zip(self.mixers, seen, strict=True)]


def loss(stand, batch):
    """Sum of the layers' errors; each reaches its own accumulator only."""
    errors = stand.errors(*batch.stream, batch.valid)
    return sum(errors), {f"layer{i}": e.item() for i, e in enumerate(errors)}


@torch.no_grad()
def held_out(stand, work):
    """Relative squared error of each layer on the held-out recordings, soft gates."""
    set_gates(stand, hard=False)
    totals, count = [0.0] * len(stand.mixers), 0
    for values, attention, lengths in work.held_batches():
        valid = torch.arange(int(lengths.max()))[None] < lengths[:, None]
        for i, e in enumerate(stand.errors(values, attention, valid)):
            totals[i] += e.item() * len(lengths)
        count += len(lengths)
    return [t / count for t in totals]


def alone(teacher, stand, work, quiet=False):
    """Each layer replaced by itself, nothing trained after: [(error rate in %, KL divergence)], soft gates."""
    figures = []
    for i in tqdm(range(len(stand.mixers)), desc="each layer alone", unit="layer", disable=quiet):
        student = deepcopy(teacher)
        encoder.layers_of(student)[i].attention = deepcopy(stand.mixers[i])
        set_gates(student.eval(), hard=False)
        rate = error_rate(lambda x, m, student=student: student(x, attention_mask=m).logits, work).rate
        figures.append((rate, compare(student, teacher, work)))
    return figures


def rank_correlation(a, b):
    """Spearman's: correlation of the ranks of two lists without ties."""
    ranks = [torch.tensor(v).argsort().argsort().double() for v in (a, b)]
    return torch.corrcoef(torch.stack(ranks))[0, 1].item()


def finished(folder):
    """The sweep's figures and its accumulators' weights; raises `EncoderError` where there is no sweep."""
    path = Path(folder) / "sweep.json"
    if not path.is_file():
        raise encoder.EncoderError(f"{path}: no such sweep: run `make lpa-sweep` first")
    weights = trainer.load(folder)["model"]
    return json.loads(path.read_text()), weights


def parser():
    """Options of the command."""
    p = argparse.ArgumentParser(prog="python -m sw.lpa.sweep", description=__doc__.split("\n\n")[0],
                                formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add_data_options(p)
    add_encoder_option(p)
    p.add_argument("--out", default=SWEEP, help="folder of the run")
    p.add_argument("--epochs", type=int, default=2)
    p.add_argument("--steps", type=int, default=40, help="batches an epoch")
    p.add_argument("--rate", type=float, default=4e-3, help="highest learning rate")
    return p


def add_encoder_option(p):
    """Which encoder attention is replaced in."""
    p.add_argument("--encoder", default=f"{RUN}/model",
                   help="folder of a Wav2Vec2ForCTC, as sw.lpa.pretrain leaves it or pretrained; or a hub name")


def original(args):
    """(The encoder that the options name, frozen; the task that it is scored on), by what it takes and answers."""
    if args.encoder == f"{RUN}/model" and not Path(args.encoder).is_dir():
        raise encoder.EncoderError(f"{args.encoder}: no such encoder: train one with `make lpa-encoder`")
    model = encoder.load(args.encoder).requires_grad_(False)
    if encoder.takes_features(model):
        return model, task_of(args, ("plain",))
    return model, WaveTask(args.data, model, encoder.tokenizer(args.encoder), args.fold, args.folds)


def sweep(args):
    """Fit, measure, print the order, write `sweep.json`."""
    logging.getLogger("transformers").setLevel(logging.ERROR)
    teacher, work = original(args)
    stand = Stand(teacher, args.seed)
    drawn = work.batches(args.seed)
    recipe = {"seed": args.seed, "rate": args.rate, "epochs": args.epochs, "steps": args.steps,
              "split": work.split.name, "encoder": Path(args.encoder).name}
    trainer.fit(stand, lambda epoch: islice(drawn(epoch), args.steps), loss, args.out, epochs=args.epochs,
                rate=args.rate, seed=args.seed, recipe=recipe, decay=0.0, quiet=args.quiet, clip=10.0)
    errors = held_out(stand, work)
    rate = error_rate(lambda x, m: teacher(x, attention_mask=m).logits, work).rate
    single = alone(teacher, stand, work, args.quiet)
    order = sorted(range(len(errors)), key=errors.__getitem__)
    figures = {**recipe, "mse": [round(e, 5) for e in errors], "order": order, "error": round(rate, 2),
               "alone_error": [round(r, 2) for r, _ in single], "alone_kl": [float(f"{k:.4g}") for _, k in single],
               "mse_to_kl": round(rank_correlation(errors, [k for _, k in single]), 3),
               "torch": torch.__version__, "commit": trainer.commit()}
    write_atomically(Path(args.out) / "sweep.json", (json.dumps(figures, indent=1) + "\n").encode())
    print(f"original: {rate:.2f} % error rate ({work.split.name})")
    print("layer   MSE / variance   error alone   KL alone")
    for i in order:
        print(f"{i:5} {errors[i]:16.4f} {single[i][0]:11.2f} % {single[i][1]:10.4f}")
    print(f"order, easiest first: {' '.join(map(str, order))}; rank correlation of MSE with KL {figures['mse_to_kl']}")


def main(argv=None):
    """Run the command; returns the exit status."""
    return run(sweep, argv, parser())


if __name__ == "__main__":
    sys.exit(main())
