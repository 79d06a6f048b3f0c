"""Train the small Wav2Vec2 encoder with CTC over phones.

    sottovoce lpa-encoder --data FOLDER

The encoder that attention is then replaced in. A run that is killed resumes from its last epoch. The result is also
written in transformers' own form, which `--encoder` of the other commands reads.
"""

import json
from pathlib import Path

import torch

from hw import store
from sw import options
from sw.lpa import encoder
from sw.lpa.ctc_task import STATES, CtcLoss, CtcTask, error_rate
from sw.phones import corpus
from sw.training import trainer

RUN = "build/runs/lpa/encoder"
FIGURES = "encoder.json"  # in the run's folder


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


def task_of(args, variants=corpus.VARIANTS):
    """The `CtcTask` that the options name."""
    noise = corpus.noises(args.noise, ["train"]) if args.noise and "noisy" in variants else None
    return CtcTask(args.data, noise, args.fold, args.folds, variants, quiet=args.quiet)


def add_arguments(parser):
    """Options of the command."""
    options.add_phones(parser)
    parser.add_argument("--out", default=RUN, help="folder of the run; the encoder itself goes to OUT/model")
    parser.add_argument("--epochs", type=options.whole, default=20, help="epochs of training")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    parser.add_argument("--start", help="folder of an earlier run, of the same sizes, whose weights to start from")
    for name, value in (("hidden", 96), ("layers", 12), ("heads", 4), ("feed-forward", 384)):
        parser.add_argument(f"--{name}", type=options.whole, default=value, help="of the encoder")
    options.add_run(parser)


def run(args):
    """Train or resume, score, and write the encoder."""
    options.begin(args)
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
    store.write_json(Path(args.out) / FIGURES, {
        **json.loads((Path(args.out) / "manifest.json").read_text()), "error": round(errors.rate, 2),
        **store.recipe(args.command, data=args.data)})
    print(f"phone error rate {errors.rate:.2f} % over {errors.reference} phones; encoder in {args.out}/model")
    return 0
