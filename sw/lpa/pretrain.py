"""Train the small Wav2Vec2 encoder with CTC over phones: `python -m sw.lpa.pretrain --data FOLDER ...`.

The encoder that attention is then replaced in. A run that is killed resumes from its last epoch. The result is also
written in transformers' own form, which `--encoder` of the other commands reads.
"""

import argparse
import json
import logging
import sys
from pathlib import Path

import torch

from sw.lpa import encoder
from sw.lpa.ctc_task import STATES, CtcLoss, CtcTask, error_rate
from sw.phones import corpus
from sw.training import trainer

DATA = ["../shared/data/phones", "../shared/data/librispeech_251spk"]
NOISE = "../shared/data/noise"
RUN = "build/runs/lpa/encoder"


class Recogniser(torch.nn.Module):
    """A Wav2Vec2ForCTC with the frame classifier that helps its training; `sizes` go into the run's manifest."""

    def __init__(self, core):
        super().__init__()
        self.core = core
        self.hint = torch.nn.Linear(core.config.hidden_size, STATES)
        c = core.config
        self.sizes = {"hidden": c.hidden_size, "layers": c.num_hidden_layers, "heads": c.num_attention_heads,
                      "feed_forward": c.intermediate_size, "parameters": sum(p.numel() for p in core.parameters())}

    def forward(self, values, attention):
        """Values and mask (B, 40 F) -> logits (B, A, 41), hidden (B, A, H)."""
        hidden = self.core.wav2vec2(values, attention_mask=attention).last_hidden_state
        return self.core.lm_head(hidden), hidden


def add_data_options(p):
    """Options that every command here has: what to train and score on."""
    p.add_argument("--data", nargs="+", default=DATA,
                   help="folders: with manifest.csv, TIMIT, or LibriSpeech with alignments")
    p.add_argument("--noise", default=NOISE, help="folder of noise with manifest.csv; '' for none")
    p.add_argument("--fold", type=int, default=0, help="which fold of hand-labelled speakers is held out")
    p.add_argument("--folds", type=int, default=3)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--quiet", action="store_true", help="no progress bars")


def task_of(args, variants=corpus.VARIANTS):
    """The `CtcTask` that the options name."""
    noise = corpus.noises(args.noise, ["train"]) if args.noise and "noisy" in variants else None
    return CtcTask(args.data, noise, args.fold, args.folds, variants, quiet=args.quiet)


def parser():
    """Options of the command."""
    p = argparse.ArgumentParser(prog="python -m sw.lpa.pretrain", description=__doc__.split("\n\n")[0],
                                formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add_data_options(p)
    p.add_argument("--out", default=RUN, help="folder of the run; the encoder itself goes to OUT/model")
    p.add_argument("--epochs", type=int, default=20)
    p.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    p.add_argument("--start", help="folder of an earlier run, of the same sizes, whose weights to start from")
    for name, value in (("hidden", 96), ("layers", 12), ("heads", 4), ("feed-forward", 384)):
        p.add_argument(f"--{name}", type=int, default=value)
    return p


def run(command, argv=None, options=None):
    """`command(args)` with one-line errors; returns the exit status."""
    args = options.parse_args(argv)
    torch.set_num_threads(args.threads)
    logging.basicConfig(format="%(message)s", level=logging.ERROR)
    try:
        command(args)
    except (ValueError, RuntimeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def pretrain(args):
    """Train as told, score, and write the encoder."""
    core = encoder.small(args.hidden, args.layers, args.heads, args.feed_forward, seed=args.seed)
    model, work = Recogniser(core), task_of(args)
    print(f"{model.sizes['parameters']:,} parameters, {len(work.split.train)} utterances to train on, "
          f"{len(work.held)} held out ({work.split.name})", flush=True)
    recipe = {"seed": args.seed, "rate": args.rate, "epochs": args.epochs, "split": work.split.name,
              "data": [Path(d).name for d in args.data], "hint": 0.5}
    if args.start:
        before = trainer.load(args.start)
        model.load_state_dict(before["model"])
        recipe["start"] = {"run": Path(args.start).name, "epochs": before["epoch"], **json.loads(before["recipe"])}
    trainer.fit(model, work.batches(args.seed), CtcLoss(), args.out, epochs=args.epochs, rate=args.rate,
                seed=args.seed, recipe=recipe, quiet=args.quiet)
    core.save_pretrained(Path(args.out) / "model")
    errors = error_rate(lambda *given: model(*given)[0], work)
    print(f"phone error rate {errors.rate:.2f} % over {errors.reference} phones; encoder in {args.out}/model")


def main(argv=None):
    """Run the command; returns the exit status."""
    return run(pretrain, argv, parser())


if __name__ == "__main__":
    sys.exit(main())
