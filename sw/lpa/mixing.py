"""What mixes frames in an encoder's layers, swapped and looked at: shared by the sweep and the replacement."""

from contextlib import contextmanager
from itertools import islice

import torch
from torch.nn import functional

from sw.lpa import array, encoder
from sw.models import lpa_reference
from sw.models.lpa import COLDEST, PulseAccumulator
from sw.models.lpa_attention import PulseAttention
from sw.phones import score

WARMEST = 1.0       # temperature at the start, in frames
LOOKED = 500        # frames of a recording whose gates are counted
ANNEALED = 0.8      # share of the training after which the temperature stays at its coldest


def temperature_at(progress):
    """Annealing: geometric from WARMEST to COLDEST over the first ANNEALED of `progress` 0..1, then constant."""
    return WARMEST * (COLDEST / WARMEST) ** min(1.0, progress / ANNEALED)


def timed(drawn, steps, epochs):
    """A function of the epoch for `sw.training.trainer.fit`: `steps` batches, which know how far it has come (0..1)."""
    def of(epoch):
        for i, batch in enumerate(islice(drawn(epoch), steps)):
            batch.progress = (epoch + i / steps) / epochs
            yield batch
    return of


def accumulators(model):
    """Every `PulseAccumulator` of a model, in order."""
    return [m for m in model.modules() if isinstance(m, PulseAccumulator)]


def set_gates(model, temperature=None, hard=None):
    """Temperature (None: as it is) and hardness of every accumulator of a model."""
    for one in accumulators(model):
        one.temperature = one.temperature if temperature is None else temperature
        one.hard = hard


@contextmanager
def recorded(modules):
    """Inputs, masks and outputs of attention modules during a forward pass: a list of dicts, one a module."""
    seen = [{} for _ in modules]

    def keep(place):
        def hook(module, given, named, result):
            place["x"] = given[0] if given else named["hidden_states"]
            place["mask"], place["y"] = named.get("attention_mask"), result[0]
        return hook
    handles = [m.register_forward_hook(keep(place), with_kwargs=True) for m, place in zip(modules, seen, strict=True)]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def relative_error(got, wanted, valid):
    """Mean squared error over valid frames (B, T), over the variance of what is wanted; 1 is as bad as the mean."""
    got, wanted = got[valid], wanted[valid]
    return functional.mse_loss(got, wanted) / (wanted - wanted.mean(0)).square().mean().clamp_min(1e-8)


def states(model, values, attention):
    """Outputs of every encoder layer that runs, {index: (B, T, H)}, and answers (B, A, C) of a model."""
    seen = {}

    def keep(index):
        def hook(module, given, result):
            seen[index] = result[0] if isinstance(result, tuple) else result
        return hook
    handles = [layer.register_forward_hook(keep(i)) for i, layer in enumerate(encoder.layers_of(model))]
    try:
        logits = model(values, attention_mask=attention).logits
    finally:
        for handle in handles:
            handle.remove()
    return seen, logits


@torch.no_grad()
def seen_by(teacher, batch):
    """Inputs, masks and outputs of the teacher's attention on a batch, a dict a layer; kept ones where it has them."""
    if hasattr(batch, "seen"):
        return batch.seen
    with recorded([encoder.attention_of(layer) for layer in encoder.layers_of(teacher)]) as seen:
        teacher(batch.stream[0], attention_mask=batch.stream[1])
    return seen


@torch.no_grad()
def taught_by(teacher, batch):
    """The teacher's layers' outputs and its answers on a batch; kept ones where it has them."""
    return (batch.layers, batch.answer) if hasattr(batch, "layers") else states(teacher, *batch.stream)


def heard_of(batch):
    """Bool (B, T): the encoder's frames that count, which need not be as many as its answers."""
    return batch.heard if hasattr(batch, "heard") else batch.valid


def divergence(student, teacher, valid):
    """Mean KL divergence in nats an answer, of logits (B, T, C) from those of the teacher."""
    return functional.kl_div(student[valid].log_softmax(-1), teacher[valid].log_softmax(-1), log_target=True,
                             reduction="batchmean")


class Yardstick:
    """The held-out recordings and what the teacher answers on them, to measure any student by, in one pass each."""

    @torch.no_grad()
    def __init__(self, teacher, work):
        self.work = work
        self.taught = [teacher(values, attention_mask=mask).logits for values, mask, _ in work.held_batches()]
        self.original = self.measure(answers=self.taught)[0]

    @torch.no_grad()
    def measure(self, model=None, answers=None, quick=False):
        """(Error rate in %, mean KL divergence from the teacher in nats an answer) of a model, or of its answers.

        `quick` asks for the divergence alone, which saves nothing here.
        """
        errors, total, count, index = score.Errors(), 0.0, 0, 0
        for i, (values, mask, lengths) in enumerate(self.work.held_batches()):
            got = answers[i] if answers else model(values, attention_mask=mask).logits
            valid = torch.arange(got.shape[1])[None] < lengths[:, None]
            total += divergence(got, self.taught[i], valid).item() * int(valid.sum())
            count += int(valid.sum())
            for logits, length in zip(got, lengths.tolist(), strict=True):
                errors += self.work.judge(index, logits[:length])
                index += 1
        return round(errors.rate, 2), float(f"{total / count:.4g}")

    def details(self):
        """What else there is to say of what was measured last: nothing."""
        return {}


@torch.no_grad()
def array_cycles(model, work, config, recordings=2):
    """Cycles of every pulse on the PE array over the first held-out recordings, by kind, added over layers."""
    mixers, totals = [m for m in model.modules() if isinstance(m, PulseAttention)], {}
    for values, attention, lengths in list(work.held_batches(1))[:recordings]:
        with recorded(mixers) as seen:
            model(values, attention_mask=attention)
        for mixer, place in zip(mixers, seen, strict=True):
            for kind, parts in array.cost(mixer.accumulator, place["x"][0, :int(lengths[0])], config).items():
                sums = totals.setdefault(kind, dict.fromkeys(parts, 0))
                totals[kind] = {name: sums[name] + count for name, count in parts.items()}
    return totals


@torch.no_grad()
def binary_shares(model, work, batches=3):
    """Shares of soft gates within 0.01 of 0 or 1 on held-out recordings, see `sw.models.lpa_reference.near_binary`."""
    mixers = [m for m in model.modules() if isinstance(m, PulseAttention)]
    counts = {}
    for values, attention, lengths in list(work.held_batches(4))[:batches]:
        with recorded(mixers) as seen:
            model(values, attention_mask=attention)
        for mixer, place in zip(mixers, seen, strict=True):
            x, some = place["x"][:, :LOOKED], lengths.clamp_max(LOOKED)  # n x n tensors, so not whole windows of 30 s
            gates = lpa_reference.gates_of(mixer.accumulator, x, some)
            for name, (near, whole) in lpa_reference.near_binary(gates, some).items():
                before = counts.get(name, (0, 0))
                counts[name] = before[0] + near, before[1] + whole
    whole = [sum(c) for c in zip(counts["windows"], counts["keys"], strict=True)]
    return {"all": whole[0] / whole[1], **{name: near / total for name, (near, total) in counts.items()}}
