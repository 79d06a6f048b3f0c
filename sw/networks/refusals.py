"""Graphs that cannot be mapped, one for each reason, and what is said of them: kept with the figures, held by tests."""

import tempfile
from pathlib import Path

import h5py
import nir
import numpy as np

from sw.networks import chain, dynamics, graph
from sw.networks.graph import GraphError

DT, WIDTH = 1e-4, 12


def neurons(size=WIDTH, **fields):
    """LIF nodes that keep 7/8 of their potential a step and count their input once."""
    values = {"tau": 8 * DT, "r": 8.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0} | fields
    return nir.LIF(**{key: np.full(size, value) for key, value in values.items()})


def weights(outputs, inputs):
    return nir.Linear(np.random.default_rng(0).normal(0, 1, (outputs, inputs)))


def base(more=None, edges=(), without=()):
    """6 features -> 12 recurrent LIF neurons -> 4 outputs, with nodes and edges added, replaced or left out."""
    nodes = {"input": nir.Input(np.array([6])), "fc1": weights(WIDTH, 6), "lif1": neurons(),
             "own1": weights(WIDTH, WIDTH), "fc2": weights(4, WIDTH), "output": nir.Output(np.array([4]))}
    nodes |= more or {}
    plain = [("input", "fc1"), ("fc1", "lif1"), ("lif1", "own1"), ("own1", "lif1"), ("lif1", "fc2"), ("fc2", "output")]
    return nir.NIRGraph(nodes, [e for e in plain if e not in without] + list(edges), type_check=False)


def not_finite():
    bad = weights(WIDTH, 6)
    bad.weight[2, 3] = np.nan
    return base({"fc1": bad})


def unknown():
    """An adaptive neuron, which NIR does not have: written as one would be."""
    return base({"lif1": neurons()}), {"lif1": "ALIF"}


GRAPHS = {
    "cycle without state": lambda: base({"a": weights(WIDTH, WIDTH), "b": weights(WIDTH, WIDTH)},
                                        [("a", "b"), ("b", "a"), ("b", "lif1")]),
    "unknown node": unknown,
    "weights that are no numbers": not_finite,
    "shape mismatch": lambda: base({"fc2": weights(4, WIDTH - 1)}),
    "convolution": lambda: base({"fc1": nir.Conv1d(6, np.ones((WIDTH, 1, 3)), 1, 0, 1, 1, np.zeros(WIDTH))}),
    "pooling": lambda: base({"fc1": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0]))}),
    "10,000 neurons": lambda: base({"fc1": weights(10000, 6), "lif1": neurons(10000), "own1": nir.Scale(np.ones(10000)),
                                    "fc2": weights(4, 10000)}),
    "feedback over layers": lambda: base(
        {"fc3": weights(8, WIDTH), "lif3": neurons(8), "back": weights(WIDTH, 8), "fc2": weights(4, 8)},
        [("lif1", "fc3"), ("fc3", "lif3"), ("lif3", "back"), ("back", "lif1"), ("lif3", "fc2")], [("lif1", "fc2")]),
    "threshold that is always met": lambda: base({"lif1": neurons(v_threshold=-0.5)}),
    "time constant below the time step": lambda: base({"lif1": neurons(tau=DT / 2)}),
    "delay of 20 frames": lambda: base({"late": nir.Delay(np.full(WIDTH, 20 * DT))},
                                       [("lif1", "late"), ("late", "own1")], [("lif1", "own1")]),
    "potential that is never read as spikes": lambda: base(
        {"li": nir.LI(np.full(WIDTH, 8 * DT), np.full(WIDTH, 8.0), np.zeros(WIDTH))},
        [("lif1", "li"), ("li", "fc2")], [("lif1", "fc2")]),
}


def write(name, path):
    """Write one of `GRAPHS` to a file, or with None the one that can be mapped."""
    built = GRAPHS[name]() if name else base()
    built, kinds = built if isinstance(built, tuple) else (built, {})
    nir.write(path, built)
    with h5py.File(path, "r+") as file:
        for node, kind in kinds.items():
            del file[f"node/nodes/{node}/type"]
            file[f"node/nodes/{node}/type"] = kind


def reason(name):
    """The one line with which a graph of `GRAPHS` is refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.nir"
        write(name, path)
        try:
            mapped = chain.chain(graph.read(path))
            dynamics.fold(mapped, DT, {layer.name: "zero" for layer in mapped.layers})
        except GraphError as error:
            return str(error)
    raise RuntimeError(f"{name}: mapped, but it cannot be built")


def collected():
    """[{name, reason}] of all of them."""
    return [{"name": name, "reason": reason(name)} for name in GRAPHS]
