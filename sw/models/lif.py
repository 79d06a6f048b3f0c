"""A layer of recurrent leaky integrate-and-fire neurons over a whole sequence, with a surrogate gradient.

For frame t, time step k in order (docs/arithmetic.md; source: arXiv 2503.21337, equation 2):

    v = u - leak(u) + gain (feed[t, k] + W s[t-1-delay, k])      leak(u) = leak u, rounded down in integer mode
    s[t, k] = 1 where v >= threshold; there u = 0 (reset "zero") or v - threshold ("subtract"), and v elsewhere

Threshold, leak (2^-shift; 0: none) and delay are a neuron's own; a layer may have no recurrence.

Integer mode is the accelerator's arithmetic in float32, in which small integers are exact: `gain` is
2^potential_fraction and potentials saturate at `limit`. The gradient of the step is the surrogate's slope at
z = v / threshold - 1, times `damping`, which keeps gradients through hundreds of frames from exploding.
"""

import functools
import os
from pathlib import Path

import torch

SURROGATES = ("triangle", "fast_sigmoid", "arctan", "rectangle")  # order: the kernel's enum
KERNEL = Path(__file__).with_name("lif_kernel.cpp")
BUILD = Path("build") / "extensions"


@functools.cache
def kernel():
    """The compiled loop over frames; built once (about a minute) into build/extensions."""
    from torch.utils import cpp_extension
    BUILD.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("MAX_JOBS", "1")
    try:
        return cpp_extension.load("sottovoce_lif", [str(KERNEL)], build_directory=str(BUILD),
                                  extra_cflags=["-O3", "-march=native", "-ffast-math"])
    except (RuntimeError, OSError) as error:
        raise RuntimeError("the LIF kernel did not compile; it needs a C++ compiler (Debian: apt install g++) and "
                           f"ninja (pip install ninja): {str(error).splitlines()[0]}") from error


class _Lif(torch.autograd.Function):
    @staticmethod
    def forward(ctx, feed, weight, threshold, leak, delays, gain, steps, integer, limit, surrogate, damping, subtract):
        feed, weight = feed.contiguous(), weight.contiguous()
        spikes, potentials = kernel().forward(feed, weight, threshold, leak, delays, gain, steps, integer, limit,
                                              subtract)
        ctx.save_for_backward(spikes, potentials, weight, threshold, leak, delays)
        ctx.rest = gain, feed.shape[1], SURROGATES.index(surrogate), damping, subtract
        ctx.mark_non_differentiable(potentials)
        ctx.set_materialize_grads(False)  # zeros for the potentials' would cost a pass over memory
        return spikes, potentials

    @staticmethod
    def backward(ctx, grad, _):
        if grad is None:
            return (None,) * 12
        spikes, potentials, *rest = ctx.saved_tensors
        found = kernel().backward(grad.contiguous(), spikes, potentials, *rest, *ctx.rest,
                                  any(ctx.needs_input_grad[2:4]))
        return *found, *(None,) * 8


class _Delay(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, delays):
        ctx.save_for_backward(delays)
        return kernel().delay(x.contiguous(), delays, -1)

    @staticmethod
    def backward(ctx, grad):
        return kernel().delay(grad.contiguous(), *ctx.saved_tensors, 1), None


def delayed(x, delays):
    """x (F, ..., N) float32 with neuron n's values `delays[n]` frames late (int64 (N,) of 0 and more); zeros before."""
    return _Delay.apply(x, delays) if int(delays.max()) else x


def lif(feed, weight, threshold, *, steps, leak, delays=None, gain=1.0, integer=False, limit=2.0 ** 15,
        surrogate="fast_sigmoid", damping=1.0, reset="zero"):
    """Run a layer: feed (F, K or 1, B, N), recurrent weight (N, N) or None, threshold and leak tensors (N,) or scalar.

    `leak` is the share of the potential that is lost in a time step, 2^-shift, 0 for none. `delays` int64 (N,): frames
    by which a neuron's spikes reach the recurrence later than the frame after. Returns spikes and potentials before
    reset, float32 (F, K, B, N). Raises `ValueError` for an unknown surrogate.
    """
    if surrogate not in SURROGATES:
        raise ValueError(f"surrogate={surrogate!r}: wanted one of {', '.join(SURROGATES)}")
    if feed.shape[1] not in (1, steps):
        raise ValueError(f"feed has {feed.shape[1]} time steps, wanted 1 or {steps}")
    neurons = feed.shape[-1]
    if weight is None:
        weight = feed.new_zeros(0, 0)
    if delays is None or not int(delays.max()):
        delays = torch.zeros(0, dtype=torch.int64)
    threshold, leak = (torch.as_tensor(x, dtype=torch.float32).expand(neurons).contiguous() for x in (threshold, leak))
    return _Lif.apply(feed, weight, threshold, leak, delays, float(gain), steps, integer, float(limit), surrogate,
                      damping, reset == "subtract")


class _Step(torch.autograd.Function):
    """The spike of the reference: a step with a surrogate slope."""

    @staticmethod
    def forward(ctx, z, surrogate, damping):
        ctx.save_for_backward(z)
        ctx.surrogate, ctx.damping = surrogate, damping
        return (z >= 0).to(z.dtype)

    @staticmethod
    def backward(ctx, grad):
        z, = ctx.saved_tensors
        a = z.abs()
        slope = {"triangle": (1 - a).clamp_min(0), "fast_sigmoid": (1 + 4 * a) ** -2,
                 "arctan": 1 / (1 + 9.8696044 * z * z), "rectangle": (a < 0.5).to(z.dtype)}[ctx.surrogate]
        return grad * slope * ctx.damping, None, None


def reference(feed, weight, threshold, *, steps, leak, delays=None, gain=1.0, integer=False, limit=2.0 ** 15,
              surrogate="fast_sigmoid", damping=1.0, reset="zero"):
    """The same layer, operator by operator under autograd: what the kernel is tested against."""
    u = torch.zeros_like(feed[0, 0])
    late = [0] * u.shape[-1] if delays is None else delays.tolist()
    spikes, potentials = [], []
    for t in range(len(feed)):
        spikes.append([])
        for k in range(steps):
            current = feed[t, k if feed.shape[1] > 1 else 0]
            if weight is not None:
                before = [spikes[t - 1 - d][k][:, n] if t > d else u[:, n] * 0 for n, d in enumerate(late)]
                current = current + torch.stack(before, 1) @ weight
            loss = u * leak
            if integer:
                loss = loss + (torch.floor(loss) - loss).detach()
            v = u - loss + gain * current
            if integer:
                v = v + (v.clamp(-limit, limit - 1) - v).detach()
            s = _Step.apply(v / threshold - 1, surrogate, damping)
            u = v * (1 - s.detach()) if reset == "zero" else v - (threshold * s).detach()
            spikes[t].append(s)
            potentials.append(v)
    shape = (len(feed), steps, *feed.shape[2:])
    return torch.stack([s for frame in spikes for s in frame]).view(shape), torch.stack(potentials).view(shape).detach()
