"""Where attention looks, and pulses that start there.

For each head: how much of its mass lies how many frames away (its profile), how far that reaches, how much of it goes
to the same frames whoever asks. A pulse learns the shape of a window by its edges, which move a fraction of a frame a
step; one that starts on the wrong side of a frame never gets there. So windows start as the middle parts of their
head's profile, weighted keys and slots as what the head's usual queries ask for.
"""

import torch

from sw.models.lpa import SHORTEST

PARTS = {1: (0.7,), 2: (0.5, 0.9), 3: (0.35, 0.75, 0.97)}  # of a head's mass, that its windows hold
FAR = 100  # frames of the middle 90 % of a head's mass, from which slots are thought of first


@torch.no_grad()
def queries_keys(attention, x):
    """Scaled queries and keys (H, T, C) of frames (T, D)."""
    q, k = (part(x).unflatten(-1, (attention.num_heads, -1)).transpose(0, 1)
            for part in (attention.q_proj, attention.k_proj))
    return q * attention.head_dim ** -0.5, k


@torch.no_grad()
def profiles(attention, recordings):
    """Mass by distance (H, 2 T - 1), mean over the frames asked; `recordings`: [(frames (T, D), how many are speech)].

    Distance s - t is at index s - t + T - 1 of the longest. Also the share of mass (H,) that goes to the same frames
    whoever asks.
    """
    longest = max(len(x) for x, _ in recordings)
    total, common, count = torch.zeros(attention.num_heads, 2 * longest - 1), 0, 0
    for x, speech in recordings:
        q, k = queries_keys(attention, x)
        weights = (q[:, :speech] @ k.transpose(1, 2)).softmax(-1)  # (H, t, T)
        frames = len(x)
        distance = torch.arange(frames)[None] - torch.arange(speech)[:, None] + longest - 1
        total.index_add_(1, distance.flatten(), weights.flatten(1))
        common = common + torch.minimum(weights, weights.mean(1, keepdim=True)).sum((1, 2))
        count += speech
    return total / count, common / count


def quantile(mass, share):
    """Distance in frames below which `share` of each head's mass lies, (H,)."""
    part = mass.cumsum(-1) / mass.sum(-1, keepdim=True)
    index = torch.searchsorted(part, torch.full((len(mass), 1), share)).squeeze(-1).clamp_max(mass.shape[1] - 1)
    return index - mass.shape[1] // 2


def statistics(attention, recordings):
    """For each head: mass within 2, 8, 32 and 128 frames, where its middle lies, its middle 90 %, what is common."""
    mass, common = profiles(attention, recordings)
    middle, least, most = (quantile(mass, share) for share in (0.5, 0.05, 0.95))
    centre = mass.shape[1] // 2
    within = {f"within_{n}": mass[:, centre - n:centre + n + 1].sum(-1) for n in (2, 8, 32, 128)}
    return [{**{name: round(w[h].item(), 3) for name, w in within.items()}, "middle": int(middle[h]),
             "reach": int(most[h] - least[h]), "common": round(common[h].item(), 3)} for h in range(len(mass))]


@torch.no_grad()
def start(accumulator, attention, recordings, seed=0):
    """Set an accumulator's content windows, weighted keys and slots by what `attention` does on `recordings`."""
    mass, _ = profiles(attention, recordings)
    channels, heads = accumulator.width // accumulator.pulses, attention.num_heads
    head_of = [int((p + 0.5) * channels * heads / accumulator.width) for p in range(accumulator.content)]
    parts = PARTS.get(accumulator.windows) or [(j + 1) / (accumulator.windows + 1) for j in range(accumulator.windows)]
    low, high = (torch.stack([quantile(mass, (1 + sign * part) / 2) for part in parts], 1).float()
                 for sign in (-1, 1))  # (H, J)
    accumulator.offset.copy_(((low + high) / 2)[head_of].flatten())
    accumulator.half_width.copy_(((high - low) / 2 + 0.5 - SHORTEST).clamp_min(0.1).log()[head_of].flatten())
    accumulator.shape.weight[:2 * accumulator.looks].mul_(0.1)  # less of what a random look adds to it
    q, k = zip(*(queries_keys(attention, x) for x, _ in recordings), strict=True)
    asked = torch.cat([each[:, :speech] for each, (_, speech) in zip(q, recordings, strict=True)], 1)  # (H, t, C)
    if accumulator.keys == "weighted":
        _weighted(accumulator, attention, asked, torch.cat(k, 1), head_of)
    if accumulator.slots is not None:
        reach = (quantile(mass, 0.95) - quantile(mass, 0.05))[head_of]
        accumulator.mix.bias.view(accumulator.content, -1)[:, -1] = torch.where(reach > FAR, 1.0, -1.0)
        _slots(accumulator, attention, asked, head_of, seed)


def _into(projection, head, heads):
    """A head's rows (C, D) and bias (C,) of a projection."""
    weight = projection.weight.unflatten(0, (heads, -1))[head]
    bias = weight.new_zeros(len(weight)) if projection.bias is None else projection.bias.unflatten(0, (heads, -1))[head]
    return weight, bias


def _weighted(accumulator, attention, asked, keys, head_of):
    """Saliences as the mean query weighs frames, so that the heaviest twentieth counts a half and more."""
    first = 2 * accumulator.looks
    for p, h in enumerate(head_of):
        mean = asked[h].mean(0)
        weight, bias = _into(attention.k_proj, h, attention.num_heads)
        accumulator.shape.weight[first + p] = mean @ weight
        accumulator.shape.bias[first + p] = mean @ bias - torch.quantile(keys[h] @ mean, 0.95)


def _slots(accumulator, attention, asked, head_of, seed):
    """Slots pool what sampled queries ask for, and are read by how near a frame's query is to each."""
    generator, count = torch.Generator().manual_seed(seed), accumulator.slots.count
    scale = attention.head_dim ** -0.5
    for p, h in enumerate(head_of):
        chosen = asked[h][torch.randperm(asked.shape[1], generator=generator)[:count]]  # (S, C), scaled
        rows = slice(p * count, (p + 1) * count)
        weight, bias = _into(attention.k_proj, h, attention.num_heads)
        accumulator.slots.keys.weight[rows], accumulator.slots.keys.bias[rows] = chosen @ weight, chosen @ bias
        weight, bias = _into(attention.q_proj, h, attention.num_heads)
        sharp = 4 / (chosen - chosen.mean(0)).square().sum(-1).mean().clamp_min(1e-6)
        accumulator.slots.reads.weight[rows] = sharp * scale * chosen @ weight
        accumulator.slots.reads.bias[rows] = sharp * (scale * chosen @ bias - chosen.square().sum(-1) / 2)

