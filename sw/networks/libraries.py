"""Networks of other libraries, trained on spoken words and written as NIR graphs, to bring them through the import.

    sottovoce library-networks --out build/networks        needs the extra `networks` (snntorch, norse, spikingjelly)

Each is the library's own modules, trained through its own neurons, and exported as far as its exporter goes:

snntorch      two recurrent layers (RLeaky, leaks a neuron learnt); its exporter
norse         two feed-forward layers of LIFBoxCell read by a LIBoxCell; its exporter, scalars spread to the width
spikingjelly  LinearRecurrentContainer of LIFNode, then IFNode; its exporter cannot trace the container (it iterates
              over a traced value), so this graph is built from the library's weights

What NIR's nodes mean differs in corners: a library's default reset may subtract the threshold, which NIR cannot write.
All three are told to reset to zero within the time step, as NIR says.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import nir
import numpy as np
import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from hw import store
from sw import options
from sw.data.utterance import DataError
from sw.features.causal import SCALE
from sw.keywords import frontends, train

WANTED = "snntorch norse spikingjelly nirtorch loguru"  # the extra `networks`; with its dependencies torch is replaced
CLASSES = 12
EPOCHS, BATCH = 14, 96
GAIN = 8.0  # of the mean logits over frames


@dataclass(frozen=True)
class Library:
    """`build(features, classes)` gives a module with `run(x (B, T, F)) -> (logits (B, T, O), spikes by node name)` and
    `nir()`; `dt`: what the graph's time constants are written for.
    """

    name: str
    build: type
    dt: float
    exporter: str
    rate: float = 3e-3


class Snntorch(nn.Module):
    """40 -> 64 RLeaky -> 64 RLeaky -> 12."""

    def __init__(self, features, classes, width=64):
        import snntorch
        super().__init__()

        def neurons():
            return snntorch.RLeaky(beta=0.8 + 0.15 * torch.rand(width), threshold=torch.ones(width),
                                   linear_features=width, init_hidden=True, learn_beta=True, reset_mechanism="zero",
                                   reset_delay=False)
        self.layers = nn.Sequential(nn.Linear(features, width), neurons(), nn.Linear(width, width), neurons(),
                                    nn.Linear(width, classes))
        for layer in (self.layers[1], self.layers[3]):
            nn.init.normal_(layer.recurrent.weight, 0, 0.3 / width ** 0.5)

    def run(self, x):
        first, second = self.layers[1], self.layers[3]
        for layer in (first, second):
            layer.mem, layer.spk = torch.zeros(len(x), 0), torch.zeros(len(x), 0)
        seen = {"1.lif": [], "3.lif": []}
        for t in range(x.shape[1]):
            seen["1.lif"].append(first(self.layers[0](x[:, t])))
            seen["3.lif"].append(second(self.layers[2](seen["1.lif"][-1])))
        spikes = {name: torch.stack(s, 1) for name, s in seen.items()}
        return self.layers[4](spikes["3.lif"]), spikes

    def nir(self):
        from snntorch.export_nir import export_to_nir
        with torch.no_grad():  # beta outside 0..1 is clamped where it is used, and exported as it is
            for layer in (self.layers[1], self.layers[3]):
                layer.beta.clamp_(0, 0.995)
                layer.mem, layer.spk = torch.zeros(0), torch.zeros(0)
            return export_to_nir(self.layers, torch.zeros(self.layers[0].in_features))


def detached(spikes, v, v_reset, threshold):
    """Norse's reset to a value, but gradients do not pass through it: they would explode over a hundred frames."""
    return v - (v - v_reset) * spikes.detach()


class Norse(nn.Module):
    """40 -> 96 LIF -> 64 LIF -> 12 leaky integrators."""

    def __init__(self, features, classes, widths=(96, 64)):
        import norse.torch as norse
        super().__init__()
        box = norse.LIFBoxParameters(tau_mem_inv=torch.tensor(125.0), v_th=torch.tensor(0.5),
                                     alpha=torch.tensor(5.0), reset_method=detached)
        self.layers = norse.SequentialState(
            nn.Linear(features, widths[0]), norse.LIFBoxCell(box), nn.Linear(*widths), norse.LIFBoxCell(box),
            nn.Linear(widths[1], classes), norse.LIBoxCell(norse.LIBoxParameters(tau_mem_inv=torch.tensor(62.5))))
        with torch.no_grad():
            self.layers[0].weight *= 4  # the cell scales its input by dt / tau
            self.layers[2].weight *= 6
            self.layers[4].weight *= 2

    def run(self, x):
        state, logits, seen = None, [], {"1": [], "3": []}
        hooks = [self.layers[int(i)].register_forward_hook(lambda m, a, out, i=i: seen[i].append(out[0])) for i in seen]
        for t in range(x.shape[1]):
            out, state = self.layers(x[:, t], state)
            logits.append(out)
        for hook in hooks:
            hook.remove()
        return torch.stack(logits, 1), {name: torch.stack(s, 1) for name, s in seen.items()}

    def nir(self):
        from norse.torch.utils.export_nir import to_nir
        with torch.no_grad():
            graph = to_nir(self.layers, torch.zeros(1, self.layers[0].in_features))
        for name, before in (("1", "0"), ("3", "2"), ("5", "4")):
            node, width = graph.nodes[name], len(graph.nodes[before].bias)
            for key in ("tau", "r", "v_leak", "v_threshold", "v_reset"):
                if hasattr(node, key):  # scalars cannot be written: HDF5 compresses arrays only
                    setattr(node, key, np.full(width, float(getattr(node, key)), np.float32))
        return graph


class Spikingjelly(nn.Module):
    """40 -> 100 LIF with recurrence -> 48 IF -> 12."""

    def __init__(self, features, classes, widths=(100, 48)):
        from spikingjelly.activation_based import layer, neuron
        super().__init__()
        wide, narrow = widths
        self.first = nn.Linear(features, wide, bias=False)
        self.container = layer.LinearRecurrentContainer(neuron.LIFNode(tau=8.0, decay_input=False, detach_reset=True),
                                                        wide, wide)
        self.second, self.integrate = nn.Linear(wide, narrow), neuron.IFNode(detach_reset=True)
        self.last = nn.Linear(narrow, classes)
        with torch.no_grad():
            self.container.rc.weight[:, :wide] = torch.eye(wide)
            self.container.rc.weight[:, wide:].normal_(0, 0.3 / wide ** 0.5)

    def run(self, x):
        from spikingjelly.activation_based import functional as jelly
        jelly.reset_net(self)
        seen = {"lif": [], "if": []}
        for t in range(x.shape[1]):
            seen["lif"].append(self.container(self.first(x[:, t])))
            seen["if"].append(self.integrate(self.second(seen["lif"][-1])))
        spikes = {name: torch.stack(s, 1) for name, s in seen.items()}
        return self.last(spikes["if"]), spikes

    def nir(self):
        rc, wide, narrow, dt = self.container.rc, self.container.rc.in_features // 2, self.second.out_features, 1e-4
        tau = self.container.sub_module.tau

        def plain(tensor):
            return tensor.detach().numpy().copy()
        nodes = {
            "input": nir.Input(np.array([self.first.in_features])), "first": nir.Linear(plain(self.first.weight)),
            "rc_input": nir.Affine(plain(rc.weight[:, :wide]), plain(rc.bias)),
            "rc_own": nir.Linear(plain(rc.weight[:, wide:])),
            "lif": nir.LIF(tau=np.full(wide, tau * dt), r=np.full(wide, tau), v_leak=np.zeros(wide),
                           v_threshold=np.ones(wide), v_reset=np.zeros(wide)),
            "second": nir.Affine(plain(self.second.weight), plain(self.second.bias)),
            "if": nir.IF(r=np.full(narrow, 1 / dt), v_threshold=np.ones(narrow), v_reset=np.zeros(narrow)),
            "last": nir.Affine(plain(self.last.weight), plain(self.last.bias)),
            "output": nir.Output(np.array([self.last.out_features]))}
        way = ["input", "first", "rc_input", "lif", "second", "if", "last", "output"]
        return nir.NIRGraph(nodes, [*zip(way, way[1:], strict=False), ("lif", "rc_own"), ("rc_own", "lif")])


LIBRARIES = (Library("snntorch", Snntorch, 1e-4, "its own"),
             Library("norse", Norse, 1e-6, "its own", rate=1.5e-2),  # large weights: inputs count dt / tau
             Library("spikingjelly", Spikingjelly, 1e-4, "built from its weights"))


def fit(model, x, y, rate, epochs=EPOCHS, seed=0, name=""):
    """Train on int8 features x (clips, T, F) and classes y; rates beyond 0.25 are punished."""
    torch.manual_seed(seed)
    optimiser = torch.optim.AdamW(model.parameters(), rate)
    total = epochs * (len(y) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=total)
    with tqdm(total=total, desc=name, unit="batch", file=sys.stderr) as bar:
        for _ in range(epochs):
            for rows in torch.randperm(len(y))[:total // epochs * BATCH].view(-1, BATCH):
                logits, spikes = model.run(x[rows].float() / SCALE)
                loss = functional.cross_entropy(GAIN * logits.mean(1), y[rows])
                loss = loss + sum((s.mean() - 0.25).clamp_min(0) * 4 for s in spikes.values())
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
                schedule.step()
                bar.set_postfix_str(f"loss {loss:.2f}, rates {' '.join(f'{s.mean():.2f}' for s in spikes.values())}")
                bar.update()


def features(data, cache="build/cache"):
    """(int8 features (clips, 98, 40), classes, labels, names of the sets) of a folder of spoken words."""
    found, labels = train.gather(data, CLASSES, cache)
    raw = torch.from_numpy(np.array(frontends.variants(found, "causal", 1, cache=cache)[0]))  # (clips, 40, 98)
    sets = np.array([clip.split for clip in found.clips])
    normaliser = frontends.Normaliser.of("causal", raw[torch.from_numpy(sets == "train")])
    index = {label: i for i, label in enumerate(labels)}
    return (normaliser(raw).transpose(1, 2).contiguous(), torch.tensor([index[c.label] for c in found.clips]),
            labels, sets)


def add_arguments(p):
    """Options of the command."""
    p.add_argument("--data", default=options.KEYWORDS, help="folder with a manifest")
    p.add_argument("--out", type=Path, default=Path("build/networks"), help="for graphs and features")
    p.add_argument("--only", choices=[lib.name for lib in LIBRARIES], help="train one of them")
    p.add_argument("--epochs", type=int, default=EPOCHS, help="epochs of each training")


def run(args):
    torch.set_num_threads(1)
    x, y, labels, sets = features(args.data)
    learn, held = (torch.from_numpy(np.flatnonzero(mask)) for mask in (sets == "train", sets != "train"))
    args.out.mkdir(parents=True, exist_ok=True)
    for name, values in (("calibration", x[learn[::25]]), ("held", x[held]), ("held-classes", y[held])):
        np.save(args.out / f"{name}.npy", values.numpy(), allow_pickle=False)
    for library in LIBRARIES:
        if args.only not in (None, library.name):
            continue
        torch.manual_seed(0)
        try:
            model = library.build(x.shape[2], len(labels))
            fit(model, x[learn], y[learn], library.rate, args.epochs, name=library.name)
            nir.write(args.out / f"{library.name}.nir", model.nir())
        except ModuleNotFoundError as error:
            raise DataError(f"{error.name} is missing: pip install --no-deps {WANTED}") from None
        with torch.no_grad():
            logits, spikes = model.run(x[held].float() / SCALE)
        right = float((logits.mean(1).argmax(1) == y[held]).float().mean())
        rates = {name: round(float(s.mean()), 4) for name, s in spikes.items()}
        store.write_json(args.out / f"{library.name}.json", {
            "library": library.name, "exporter": library.exporter, "dt": library.dt, "feature_step": 1 / SCALE,
            **store.recipe(args.command, data=args.data, packages=(library.name, "nir", "torch")),
            "epochs": args.epochs, "labels": list(labels),
            "held_clips": len(held), "held_accuracy": round(100 * right, 2), "rates": rates})
        print(f"{library.name}: {100 * right:.1f} % of {len(held)} held-out clips, rates {rates}")
    return 0
