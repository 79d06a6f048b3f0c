"""Every keyword model by name: what it hears, how it is built and how the one trainer trains it.

Optimisers, rates and schedules follow the papers (`sw/models/*.py` name them) where they hold at a hundredth of their
training steps; what differs is said in docs/keywords.md.
"""

from dataclasses import dataclass, field, fields, replace

from hw import config as hw_config
from sw.models.bcresnet import BcResNet
from sw.models.ds_cnn import DsCnn
from sw.models.gated import KeywordGated
from sw.models.keyword_rsnn import KeywordRsnn
from sw.models.sparknet import SparkNet

THEIRS = ("by", "scale", "clip", "warm", "move", "as_in", "best")


@dataclass(frozen=True)
class Recipe:
    """A model (`network` with `sizes`), its front-end, and its training.

    `sparsity`: weight of SparkNet's erf loss beside the cross-entropy, 1 / lambda of the paper's code. `l1`: weight
    of the mean magnitude of its relaxed gates. `again`: epochs of a second stage, the schedule anew from 0.6 of the
    rate (arXiv 1608.03983). `quantised`: epochs of a last stage with integer weights, for the accelerator's
    configuration `config`. `wide`: clips are disturbed as in `sw.keywords.disturb`, in `variants` versions; where there
    are several stages, after the first of them plain, hard and mild versions have the shares `mix` (empty: all alike),
    and `talk` windows of running speech are heard an epoch, where there is any. `masks`: frames and bins blanked at
    most; `average`: share that a running mean of the weights keeps in a step (0: the last weights count). With a
    teacher, `distil` is its share of the loss, `softness` its temperature. `by`: whose training it is; theirs differs
    in `scale`, a factor of the cross-entropy; `clip`, the longest gradient (0: any); `warm`, share of the training in
    which the rate rises; `move`, frames by which features move beside the shift of the wave; `as_in`, versions as in
    `sw.keywords.authors`; `best`, the figure on validation clips by which an epoch's weights are kept ("loss" or
    "accuracy"; empty: the last).
    """

    name: str
    network: type
    frontend: str
    epochs: int
    sizes: dict = field(default_factory=dict)
    optimiser: str = "adamw"
    schedule: str = "cosine"
    rate: float = 3e-3
    decay: float = 1e-2
    batch: int = 32
    smoothing: float = 0.1
    sparsity: float = 0.0
    l1: float = 0.0
    again: int = 0
    quantised: int = 0
    config: str = ""
    wide: bool = False
    variants: int = 8
    masks: tuple = (0, 0)
    mix: tuple = ()
    talk: int = 0
    average: float = 0.0
    distil: float = 0.7
    softness: float = 2.0
    by: str = "ours"
    scale: float = 1.0
    clip: float = 1.0
    warm: float = 0.05
    move: int = 3
    as_in: str = ""
    best: str = ""

    def build(self, classes=12):
        """The untrained network."""
        return self.network(classes=classes, **self.sizes)

    def values(self):
        """Plain values, for manifests; what only authors' recipes set is left out where it is as ours."""
        plain = {f.name: f.default for f in fields(self) if f.name in THEIRS}
        return {k: v for k, v in vars(self).items() if k != "network" and not (k in plain and v == plain[k])}


def _sparknet(channels):
    # SGD with warm-up, hold and decay as published; 0.01 for a loss of 100 x cross-entropy there, clipped at 1 here
    return Recipe(f"sparknet-{channels}", SparkNet, "mfcc32", 60, dict(channels=channels), "sgd", "hold_decay",
                  rate=0.3, decay=1e-3, smoothing=0.0, sparsity=1e-2)


def machine(name):
    """Sizes and arithmetic of a spiking network that runs on the configuration `name`."""
    c = hw_config.load(name)
    return dict(features=c.features, neurons=[layer.neurons for layer in c.layers], outputs=c.outputs,
                recurrent=[layer.recurrent for layer in c.layers], leak_shift=[layer.leak_shift for layer in c.layers],
                input_shift=c.input_shift, potential_fraction=c.potential_fraction, potential_bits=c.potential_bits,
                reset=c.layers[0].reset)


# Four feed-forward spiking layers, each of whose neurons hears the one before through delays of 0 to 15 frames
DELAYS = dict(neurons=[128] * 4, recurrent=[False] * 4, delays={f"forward{i}": 15 for i in (1, 2, 3)}, time_steps=1,
              norm=0.6, steps="neuron")
WIDE = dict(wide=True, variants=33, average=0.998)
AGAIN = dict(WIDE, mix=(0.15, 0.35, 0.5), talk=400)

RECIPES = {r.name: r for r in (
    Recipe("tiny-kws", DsCnn, "mel64", 30),
    *(_sparknet(c) for c in (32, 16, 8, 4)),
    Recipe("bcresnet-1", BcResNet, "mel40", 60, dict(scale=1.0), "sgd", "cosine", rate=0.1, decay=1e-3, smoothing=0.0),
    Recipe("bcresnet-0.625", BcResNet, "mel40", 60, dict(scale=0.625), "sgd", "cosine", rate=0.1, decay=1e-3,
           smoothing=0.0),
    Recipe("rsnn-keywords", KeywordRsnn, "causal", 30, machine("keywords"), optimiser="muon", rate=1.4e-2,
           quantised=10, config="keywords"),
    Recipe("bcresnet-1.5", BcResNet, "mel40", 40, dict(scale=1.5), "sgd", "cosine", rate=0.1, decay=1e-3, masks=(10, 5),
           **WIDE),
    Recipe("rsnn-delays", KeywordRsnn, "causal", 40, DELAYS, "muon", rate=1.4e-2, again=25, quantised=15,
           config="spotter", **AGAIN),
    Recipe("gru-keywords", KeywordGated, "causal", 20, again=20, **AGAIN),
)}

BY = ("ours", "authors")


def authors_of(recipe):
    """The same model as its authors train it; raises `ValueError` for one that has none.

    Versions of clips are drawn from 33 kept ones, where the authors draw anew each time.
    """
    theirs = dict(by="authors", move=0, variants=33, clip=0.0)
    if recipe.name.startswith("sparknet"):
        # warm-up 5 %, hold 40 %, power 2; loss 100 x cross-entropy + 1 x sparsity; relaxed gates in use
        return changed(recipe, epochs=200, optimiser="momentum", rate=0.01, batch=128, scale=100.0, sparsity=1.0,
                       as_in="sparknet", best="loss", sizes=dict(gate="relaxed"), **theirs)
    if recipe.name in ("bcresnet-1", "bcresnet-0.625", "bcresnet-1.5"):
        return changed(recipe, epochs=200, optimiser="momentum", schedule="cosine_to_zero", rate=0.1, decay=1e-3,
                       batch=100, warm=5 / 200, smoothing=0.0, masks=(0, 0), wide=False, average=0.0,
                       as_in="bcresnet", best="accuracy", **theirs)
    if recipe.name == "tiny-kws":
        return changed(recipe, batch=128, rate=3e-3, decay=1e-4, schedule="cosine_to_zero", warm=0.0,
                       as_in="tiny-kws", best="accuracy", **theirs)
    raise ValueError(f"--recipe authors: {recipe.name} is ours; wanted a SparkNet, a BC-ResNet or tiny-kws")


def find(name, by="ours"):
    """The recipe of that name, ours or its authors'; raises `ValueError` listing those that exist."""
    if name not in RECIPES:
        raise ValueError(f"model {name!r}: wanted one of {', '.join(RECIPES)}")
    return authors_of(RECIPES[name]) if by == "authors" else RECIPES[name]


def changed(recipe, **values):
    """A recipe with some values replaced; `sizes` are merged."""
    sizes = {**recipe.sizes, **values.pop("sizes", {})}
    return replace(recipe, sizes=sizes, **values)


def sized(recipe, name):
    """The recipe with the sizes of configuration `name`. Raises `ValueError` for one that has sizes of its own."""
    if recipe.config != "keywords":
        raise ValueError(f"--config {name}: {recipe.name} has sizes of its own; rsnn-keywords takes others")
    return changed(recipe, sizes=machine(name), config=str(name))
