"""A network of one's own, trained in plain PyTorch: is a frame of speech a vowel, a consonant or silence?

Hears the embedded recording, learns on its first three quarters, is scored on the rest, and leaves mine.nir and
features.npy in the folder where it is run. It is an example, not a recogniser: it has heard one voice for six seconds.
"""

import nir
import numpy
import torch

import sottovoce
from sw.data import labels

NEURONS, CLASSES, LEAK, CLIP = 48, 3, 0.25, 76  # potentials lose a quarter a frame; clips of 0.76 s

VOWELS = set("aa ae ah ao aw ay eh er ey ih iy ow oy uh uw".split())


def kinds(frames):
    """0 vowel, 1 consonant, 2 silence: what the recording's labels say in the middle of each frame of 10 ms."""
    said = {t: s.phone for s in labels.read(sottovoce.CLIP.with_suffix(".phn"))
            for t in range((s.start + 80) // 160, (s.end + 80) // 160)}
    return [0 if said.get(t) in VOWELS else 2 if said.get(t, "sil") in ("sil", "cl") else 1 for t in range(frames)]


class Spike(torch.autograd.Function):
    """1 from the threshold on; the gradient of a smooth step stands in for that of the hard one."""

    @staticmethod
    def forward(ctx, over):
        ctx.save_for_backward(over)
        return (over > 0).float()

    @staticmethod
    def backward(ctx, gradient):
        over, = ctx.saved_tensors
        return gradient / (1 + (3 * over) ** 2)


class Network(torch.nn.Module):
    """40 features -> 48 recurrent LIF neurons -> 3 sums."""

    def __init__(self):
        super().__init__()
        self.hear = torch.nn.Linear(40, NEURONS, bias=False)
        self.again = torch.nn.Linear(NEURONS, NEURONS, bias=False)
        self.say = torch.nn.Linear(NEURONS, CLASSES, bias=False)

    def forward(self, x):                                        # (clips, frames, 40)
        u = spikes = x.new_zeros(len(x), NEURONS)
        out = []
        for frame in x.unbind(1):
            u = (1 - LEAK) * u + self.hear(frame) + self.again(spikes)
            spikes = Spike.apply(u - 1)
            u = u * (1 - spikes)
            out.append(self.say(spikes))
        return torch.stack(out, 1)                               # (clips, frames, 3)


def graph(net):
    """The network as NIR: tau (v_leak - v + r I) / dt is our leak and our sum, with dt = 0.1 ms."""
    dt, ones = 1e-4, numpy.ones(NEURONS)
    lif = nir.LIF(tau=dt / LEAK * ones, r=ones / LEAK, v_leak=0 * ones, v_threshold=ones, v_reset=0 * ones)
    weights = {name: nir.Linear(layer.weight.detach().numpy()) for name, layer in net.named_children()}
    return nir.NIRGraph(
        nodes={"input": nir.Input({"input": numpy.array([40])}), **weights, "lif": lif,
               "output": nir.Output({"output": numpy.array([CLASSES])})},
        edges=[("input", "hear"), ("hear", "lif"), ("lif", "again"), ("again", "lif"), ("lif", "say"),
               ("say", "output")])


def main():
    """Train for some seconds, say how well, write the graph and the features."""
    torch.manual_seed(1)
    model = sottovoce.load("rsnn-paper-t2")                      # only for its front-end
    x = torch.as_tensor(sottovoce.features(model, sottovoce.CLIP)).float() / 32
    kind = torch.tensor(kinds(len(x)))
    clips = len(kind) // CLIP
    x, kind = x[:clips * CLIP].view(clips, CLIP, 40), kind[:clips * CLIP].view(clips, CLIP)
    net, seen = Network(), clips * 3 // 4
    step = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(net(x[:seen]).flatten(0, 1), kind[:seen].flatten())
        step.zero_grad()
        loss.backward()
        step.step()
    right = (net(x).argmax(-1) == kind).float().mean(1)
    print(f"frames named rightly: {100 * right[:seen].mean():.0f} % of those learnt, "
          f"{100 * right[seen:].mean():.0f} % of those held back")
    nir.write("mine.nir", graph(net))
    numpy.save("features.npy", x.numpy())


if __name__ == "__main__":
    main()
