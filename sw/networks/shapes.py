"""How many values each node gives: parameters, weights and neighbours agree, or the node that does not is named."""

import numpy as np

from sw.networks.graph import PASS, GraphError

NEURONS = {"LIF": ("tau", "r", "v_leak", "v_threshold"), "IF": ("r", "v_threshold"),
           "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold")}
READOUTS = {"LI": ("tau", "r", "v_leak")}
ELEMENTWISE = {"Scale": ("scale",), "Delay": ("delay",)}
MATRICES = ("Linear", "Affine")
STATELESS = (*MATRICES, *ELEMENTWISE, "Flatten", PASS)
LEAST, MOST = 4, 1024  # neurons a layer
FEATURES, VALUES = 4096, 1 << 16  # features a frame; values that any node may give

REASONS = {
    "Conv1d": "a convolution shares weights over positions, and the machine has a row of weights an input: "
              "unroll it into a Linear node, or compute it before the features",
    "SumPool2d": "pooling is not mapped: write it as a Linear node, or do it before the features",
    "Threshold": "a threshold without a potential is no neuron of the machine: use IF or LIF",
    "I": "an integrator that never fires is not mapped: use IF, or LI as the last node",
    "CubaLI": "a readout with a synaptic current is not mapped: use LI or Linear",
}
REASONS |= {"Conv2d": REASONS["Conv1d"], "AvgPool2d": REASONS["SumPool2d"]}


def sizes(graph):
    """Node name -> number of values it gives. Raises `GraphError` by node name."""
    known = {}
    for node in graph.nodes.values():
        if node.kind not in (*NEURONS, *READOUTS, *STATELESS, "Input", "Output"):
            mapped = ", ".join((*NEURONS, *READOUTS, *STATELESS[:-1]))
            raise GraphError(f"node {node.name!r}: " + REASONS.get(
                node.kind, f"type {node.kind!r} is unknown; mapped: {mapped}"))
        if node.kind in MATRICES:
            if node["weight"].ndim != 2:
                raise GraphError(f"node {node.name!r}: weight of shape {node['weight'].shape}, wanted outputs x inputs")
            known[node.name] = node["weight"].shape[0]
        elif node.kind == "Input" and node["shape"].size:
            known[node.name] = int(node["shape"].prod())
        elif own := _own(node):
            known[node.name] = own
    while True:  # sizes flow along edges to nodes that state none, until nothing changes
        found = {b: known[a] for a, b in graph.edges if a in known and b not in known}
        if not found:
            break
        known |= found
    for a, b in graph.edges:
        if a not in known:
            raise GraphError(f"node {a!r}: no node before it says how many values it has")
        wanted = graph.nodes[b]["weight"].shape[1] if graph.nodes[b].kind in MATRICES else known[b]
        if known[a] != wanted and graph.nodes[b].kind != "Output":
            raise GraphError(f"node {b!r}: takes {wanted} values, but {a!r} gives {known[a]}")
    for node in graph.nodes.values():
        size = known.get(node.name, 0)
        most = FEATURES if node.kind == "Input" else VALUES
        if size > most and node.kind not in NEURONS:
            raise GraphError(f"node {node.name!r}: {size} values; at most {most} are mapped")
        if node.kind in NEURONS and size > MOST:
            raise GraphError(f"node {node.name!r}: {size} neurons, but a layer holds {LEAST} to {MOST}: "
                             "prune it or split it into layers")
    return known


def _own(node):
    """Values that a node's own parameters fix, or 0 where they are scalars or missing."""
    fields = (NEURONS | READOUTS | ELEMENTWISE).get(node.kind, ())
    counts = {key: node[key].size for key in fields}
    own = max(counts.values(), default=0)
    for key, count in counts.items():
        if count not in (1, own):
            raise GraphError(f"node {node.name!r}: {key} has {count} values and others have {own}")
    return own if own > 1 else 0


def spread(node, key, size, default=None):
    """A parameter as (size,), spread from a scalar; `default` where the node lacks it."""
    if default is not None and key not in node.values:
        return np.full(size, float(default))
    value = node[key].ravel()
    if value.size not in (1, size):
        raise GraphError(f"node {node.name!r}: {key} has {value.size} values, wanted {size}")
    return np.broadcast_to(value, (size,)).astype(np.float64)
