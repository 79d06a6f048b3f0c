"""Small NIR graphs for the tests of `sw.networks`, written by `nir` itself."""

import nir
import numpy as np

from sw.networks import graph

DT = 1e-4


def neurons(size, tau=8 * DT, gain=None, threshold=1.0, **fields):
    """A LIF node of `size` neurons whose leak a step is dt / tau and whose input counts `gain` times, 1 by default."""
    full = {"tau": tau, "r": (tau / DT if gain is None else gain), "v_leak": 0.0, "v_threshold": threshold,
            "v_reset": 0.0}
    return nir.LIF(**{key: np.full(size, value, float) if np.ndim(value) == 0 else np.asarray(value, float)
                      for key, value in (full | fields).items()})


def matrix(outputs, inputs, seed=0, bias=True, scale=0.6):
    rng = np.random.default_rng(seed)
    weight = rng.normal(0, scale / inputs ** 0.5, (outputs, inputs))
    return nir.Affine(weight, rng.normal(0, 0.05, outputs)) if bias else nir.Linear(weight)


def chain_of(*nodes, extra=(), named=()):
    """Nodes one after another between an Input and an Output, with further edges and named nodes."""
    last = nodes[-1]
    size = last.weight.shape[0] if hasattr(last, "weight") else last.v_threshold.size if hasattr(last, "v_threshold") \
        else last.tau.size
    first = nodes[0].weight.shape[1] if hasattr(nodes[0], "weight") else nodes[0].v_threshold.size
    names = [f"n{i}" for i in range(len(nodes))]
    way = ["input", *names, "output"]
    return nir.NIRGraph(
        {"input": nir.Input(np.array([first])), **dict(zip(names, nodes, strict=True)), **dict(named),
         "output": nir.Output(np.array([size]))},
        [*zip(way, way[1:], strict=False), *extra], type_check=False)


def recurrent(features=6, width=12, outputs=4, seed=0, **fields):
    """One recurrent LIF layer and a linear readout: n1 <-> own."""
    return chain_of(matrix(width, features, seed, scale=2.0), neurons(width, **fields),
                    matrix(outputs, width, seed + 1),
                    named=[("own", matrix(width, width, seed + 2, bias=False, scale=0.4))],
                    extra=[("n1", "own"), ("own", "n1")])


def deep(features=6, widths=(12, 20, 8), outputs=5, seed=0):
    """Recurrent LIF, IF, recurrent LIF of different widths, read by a leaky integrator."""
    rng = np.random.default_rng(seed)
    nodes, named, extra, before = [], [], [], features
    for index, width in enumerate(widths):
        nodes += [matrix(width, before, seed + index, scale=2.5),
                  nir.IF(np.full(width, 1 / DT), np.full(width, 1.5)) if index == 1 else
                  neurons(width, tau=DT / rng.uniform(0.05, 0.4, width), threshold=rng.uniform(0.8, 1.2, width))]
        if index != 1:
            named.append((f"own{index}", matrix(width, width, seed + 9 + index, bias=False, scale=0.5)))
            extra += [(f"n{2 * index + 1}", f"own{index}"), (f"own{index}", f"n{2 * index + 1}")]
        before = width
    nodes += [matrix(outputs, before, seed + 20),
              nir.LI(np.full(outputs, 16 * DT), np.full(outputs, 16.0), np.zeros(outputs))]
    return chain_of(*nodes, named=named, extra=extra)


def written(tmp_path, built, name="graph.nir"):
    """The path of a graph, written by `nir.write`."""
    nir.write(tmp_path / name, built)
    return tmp_path / name


def reread(tmp_path, built):
    """The `Graph` that our reader makes of a file written by `nir`."""
    return graph.read(written(tmp_path, built))
