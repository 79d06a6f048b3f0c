"""A layer of recurrent leaky integrate-and-fire neurons over a whole sequence, with a surrogate gradient.

For frame t, time step k in order (docs/arithmetic.md; source: arXiv 2503.21337, equation 2):

    v = u - leak(u) + gain (feed[t, k] + W s[t-1, k])      leak(u) = u 2^-shift, rounded down in integer mode
    s[t, k] = 1 where v >= threshold; there u = 0 (reset "zero") or v - threshold ("subtract"), and v elsewhere

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
    def forward(ctx, feed, weight, threshold, gain, shift, steps, integer, limit, surrogate, damping, subtract):
        feed, weight = feed.contiguous(), weight.contiguous()
        spikes, potentials = kernel().forward(feed, weight, float(threshold), gain, shift, steps, integer, limit,
                                              subtract)
        ctx.save_for_backward(spikes, potentials, weight, threshold)
        ctx.rest = gain, shift, feed.shape[1], SURROGATES.index(surrogate), damping, subtract
        ctx.mark_non_differentiable(potentials)
        return spikes, potentials

    @staticmethod
    def backward(ctx, grad, _):
        spikes, potentials, weight, threshold = ctx.saved_tensors
        to_feed, to_weight, to_threshold = kernel().backward(grad.contiguous(), spikes, potentials, weight,
                                                             float(threshold), *ctx.rest)
        return to_feed, to_weight, to_threshold.reshape(threshold.shape), *(None,) * 8


def lif(feed, weight, threshold, *, steps, shift, gain=1.0, integer=False, limit=2.0 ** 15,
        surrogate="fast_sigmoid", damping=1.0, reset="zero"):
    """Run a layer: feed (F, K or 1, B, N), recurrent weight (N, N), threshold scalar tensor.

    Returns spikes and potentials before reset, float32 (F, K, B, N). Raises `ValueError` for an unknown surrogate.
    """
    if surrogate not in SURROGATES:
        raise ValueError(f"surrogate={surrogate!r}: wanted one of {', '.join(SURROGATES)}")
    if feed.shape[1] not in (1, steps):
        raise ValueError(f"feed has {feed.shape[1]} time steps, wanted 1 or {steps}")
    return _Lif.apply(feed, weight, threshold, float(gain), shift, steps, integer, float(limit), surrogate, damping,
                      reset == "subtract")


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


def reference(feed, weight, threshold, *, steps, shift, gain=1.0, integer=False, limit=2.0 ** 15,
              surrogate="fast_sigmoid", damping=1.0, reset="zero"):
    """The same layer, operator by operator under autograd: what the kernel is tested against."""
    u = torch.zeros_like(feed[0, 0])
    spikes, potentials = [], []
    before = [torch.zeros_like(u)] * steps
    for t in range(len(feed)):
        now = []
        for k in range(steps):
            leak = u * 2.0 ** -shift
            if integer:
                leak = leak + (torch.floor(leak) - leak).detach()
            v = u - leak + gain * (feed[t, k if feed.shape[1] > 1 else 0] + before[k] @ weight)
            if integer:
                v = v + (v.clamp(-limit, limit - 1) - v).detach()
            s = _Step.apply(v / threshold - 1, surrogate, damping)
            u = v * (1 - s.detach()) if reset == "zero" else v - threshold.detach() * s.detach()
            now.append(s)
            potentials.append(v)
        spikes.extend(now)
        before = now
    shape = (len(feed), steps, *feed.shape[2:])
    return torch.stack(spikes).view(shape), torch.stack(potentials).view(shape).detach()
