"""Training step of the spiking network beside snnTorch's and SpikingJelly's.

    sottovoce step-time

The same two recurrent LIF layers of 128 and linear readout, T = 2, the same batch, loss and optimiser, one thread, in
one run; rounds alternate, and ratios are of medians. The libraries' layers run their own documented way: one call a
time step, states kept from frame to frame. Needs `pip install --no-deps snntorch spikingjelly loguru`.
"""

import json
import statistics
import time

import torch
from torch import nn

from hw import store
from sw import options
from sw.features.causal import BINS, SCALE
from sw.models.rsnn import Rsnn

FEATURES, NEURONS, STEPS = BINS, 128, 2


class SnnTorch(nn.Module):
    """snnTorch's RLeaky layers, a learned recurrent matrix each; the membrane runs through all steps and frames."""

    def __init__(self, outputs):
        super().__init__()
        from snntorch import RLeaky
        self.first, self.second = nn.Linear(FEATURES, NEURONS, bias=False), nn.Linear(NEURONS, NEURONS, bias=False)
        options = dict(beta=0.75, linear_features=NEURONS, all_to_all=True, reset_mechanism="zero")
        self.lif1, self.lif2 = RLeaky(**options), RLeaky(**options)
        self.fc = nn.Linear(NEURONS, outputs, bias=False)

    def forward(self, x):
        """x (F, B, 40) -> logits (F, B, O)."""
        (s1, v1), (s2, v2), merged = self.lif1.reset_mem(), self.lif2.reset_mem(), []
        for current in self.first(x):
            both = 0
            for _ in range(STEPS):
                s1, v1 = self.lif1(current, s1, v1)
                s2, v2 = self.lif2(self.second(s1), s2, v2)
                both = both + s2
            merged.append(both)
        return self.fc(torch.stack(merged))


class SpikingJelly(nn.Module):
    """SpikingJelly's LIF nodes (torch backend, step by step) in its recurrent container, whose feedback is linear."""

    def __init__(self, outputs):
        super().__init__()
        from spikingjelly.activation_based import functional, layer, neuron

        def recurrent():
            node = neuron.LIFNode(tau=4.0, decay_input=False, v_reset=0.0, detach_reset=True)
            return layer.LinearRecurrentContainer(node, NEURONS, NEURONS, bias=False)
        self.clear = functional.reset_net
        self.first, self.second = nn.Linear(FEATURES, NEURONS, bias=False), nn.Linear(NEURONS, NEURONS, bias=False)
        self.lif1, self.lif2 = recurrent(), recurrent()
        self.fc = nn.Linear(NEURONS, outputs, bias=False)

    def forward(self, x):
        """x (F, B, 40) -> logits (F, B, O)."""
        self.clear(self)
        merged = []
        for current in self.first(x):
            both = 0
            for _ in range(STEPS):
                both = both + self.lif2(self.second(self.lif1(current)))
            merged.append(both)
        return self.fc(torch.stack(merged))


def step(model, optimiser, x, target):
    """Seconds of one training step."""
    start = time.perf_counter()
    optimiser.zero_grad()
    nn.functional.cross_entropy(model(x).flatten(0, 1), target.flatten()).backward()
    optimiser.step()
    return time.perf_counter() - start


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--batch", type=options.whole, default=32, help="utterances a step")
    parser.add_argument("--frames", type=options.whole, default=100, help="frames an utterance")
    parser.add_argument("--outputs", type=options.whole, default=128, help="outputs of the readout, the same for all")
    parser.add_argument("--rounds", type=options.whole, default=5, help="steps of each, in turns")
    store.add_publish(parser)


def run(args):
    """Measure, print and write."""
    path = store.writable(store.results("training.json", args.publish))
    torch.set_num_threads(1)
    torch.manual_seed(0)
    try:
        models = {"sottovoce": Rsnn(outputs=args.outputs), "snntorch": SnnTorch(args.outputs),
                  "spikingjelly": SpikingJelly(args.outputs)}
    except ImportError as error:
        raise ValueError(f"{error}: pip install --no-deps snntorch spikingjelly loguru") from None
    x = torch.randint(-64, 64, (args.frames, args.batch, FEATURES)).float()
    target = torch.randint(args.outputs, (args.frames, args.batch))
    seconds = {name: [] for name in models}
    optimisers = {name: torch.optim.Adam(m.parameters()) for name, m in models.items()}
    for number in range(args.rounds + 1):
        for name, model in models.items():
            taken = step(model, optimisers[name], x / (1 if name == "sottovoce" else SCALE), target)
            if number:  # the first warms up
                seconds[name].append(taken)
    medians = {name: statistics.median(s) for name, s in seconds.items()}
    result = {**store.recipe(args.command, packages=("torch", "snntorch", "spikingjelly")),
              "seconds": {n: round(m, 4) for n, m in medians.items()}, "batch": args.batch, "frames": args.frames,
              "outputs": args.outputs, "threads": 1}
    ratios = {f"step_over_{name}": round(medians[name] / medians["sottovoce"], 2)
              for name in ("snntorch", "spikingjelly")}
    print(json.dumps({**ratios, **result}, indent=1))
    store.write_json(path, {**store.read_json(path), **ratios, "step": result})
    print(f"figures: {path}")
    return 0
