"""A NIR graph as a chain of spiking layers: what each is fed by, through which weights, and what reads the last one.

Between two nodes with state every way through Linear, Affine, Scale, Flatten and Delay is one matrix, one bias and one
delay a presynaptic neuron; recurrence is a way from a layer back to itself. What is no chain is refused by name.
"""

from dataclasses import dataclass

import numpy as np

from sw.networks.graph import GraphError
from sw.networks.shapes import MATRICES, NEURONS, READOUTS, sizes, spread

LAYERS = 8


@dataclass(frozen=True)
class Way:
    """From `source` to a node: weight (M, P), outputs first as in NIR; delay (P,) in seconds."""

    source: str
    weight: np.ndarray
    delay: np.ndarray


@dataclass(frozen=True)
class Layer:
    """A spiking node: its parameters (N,) each, ways in, and bias (N,), the sum of the Affine nodes' on these ways."""

    name: str
    kind: str
    values: dict
    forward: Way
    recurrent: Way | None
    bias: np.ndarray

    @property
    def neurons(self):
        return len(self.bias)


@dataclass(frozen=True)
class Readout:
    """kind `spikes` (the last layer is the output), `linear`, or `leaky` with tau, r, v_leak (O,) in `values`."""

    name: str
    kind: str
    values: dict
    way: Way
    bias: np.ndarray


@dataclass(frozen=True)
class Chain:
    features: int
    layers: tuple
    readout: Readout


def chain(graph):
    """Map a `Graph`. Raises `GraphError` naming the node that does not fit and what would."""
    known = sizes(graph)
    start, stop = (_only(graph, kind) for kind in ("Input", "Output"))
    ways = _Ways(graph, known)
    layers, before = [], start
    pending = [n.name for n in graph.nodes.values() if n.kind in NEURONS]
    if not pending:
        raise GraphError(f"no spiking node: {', '.join(NEURONS)} are mapped")
    if len(pending) > LAYERS:
        raise GraphError(f"{len(pending)} spiking nodes, but the machine has 1 to {LAYERS} layers: leave out "
                         f"{pending[-1]!r}")
    into = {name: ways.into(name) for name in pending}
    for name, (found, _) in into.items():
        for way in found:
            if graph.nodes[way.source].kind in READOUTS:
                raise GraphError(f"node {way.source!r}: LI is mapped as the readout, right before the Output, and this "
                                 f"one feeds {name!r}: use LIF")
    while pending:
        following = [name for name in pending if any(w.source == before for w in into[name][0])]
        if not following:
            raise GraphError(f"node {pending[0]!r}: not fed by {before!r}, whose spikes or values go before it: "
                             "connect it, or take it out of the graph")
        if len(following) > 1:
            raise GraphError(f"node {following[1]!r}: fed by {before!r}, and so is {following[0]!r}; layers form a "
                             "chain: join them into one layer")
        name = following[0]
        for way in into[name][0]:
            if way.source not in (before, name):
                raise GraphError(f"node {name!r}: fed by {way.source!r} too; a layer is fed by the layer before it and "
                                 "by itself: remove that edge")
        layers.append(_layer(graph.nodes[name], known[name], before, *into[name]))
        pending.remove(name)
        before = name
    if layers[0].forward.delay.any():
        raise GraphError(f"node {layers[0].name!r}: its features come through a Delay; only spikes are delayed: "
                         "shift the features before they enter")
    return Chain(known[start], tuple(layers), _readout(graph, known, ways, before, stop))


def _only(graph, kind):
    names = [node.name for node in graph.nodes.values() if node.kind == kind]
    if len(names) != 1:
        raise GraphError(f"{len(names)} {kind} nodes ({', '.join(names) or 'none'}); wanted one")
    return names[0]


class _Ways:
    """Composes stateless nodes backwards from a node, each once."""

    def __init__(self, graph, known):
        self.graph, self.known, self.done, self.open = graph, known, {}, []

    def into(self, name):
        """(ways, bias) of what flows into a node: one way a source."""
        merged, bias = {}, np.zeros(self.graph.nodes[name]["weight"].shape[1]
                                    if self.graph.nodes[name].kind in MATRICES else self.known[name])
        for source in self.graph.sources(name):
            ways, more = self._out(source)
            bias = bias + more
            for way in ways:
                other = merged.get(way.source)
                if other and (other.delay != way.delay).any():
                    raise GraphError(f"node {name!r}: two ways from {way.source!r} with different delays; "
                                     "the machine has one delay a neuron and connection")
                merged[way.source] = Way(way.source, way.weight + other.weight, way.delay) if other else way
        return list(merged.values()), bias

    def _out(self, name):
        node, size = self.graph.nodes[name], self.known[name]
        if node.kind in NEURONS or node.kind in READOUTS or node.kind == "Input":
            return [Way(name, np.eye(size), np.zeros(size))], np.zeros(size)
        if node.kind == "Output":
            raise GraphError(f"node {name!r}: an Output feeds nothing; recurrence starts at the spiking node")
        if name in self.open:
            around = " -> ".join([name, *self.open[self.open.index(name):][::-1]])
            raise GraphError(f"node {name!r}: a cycle without state ({around}): put a LIF or IF node into it")
        if name not in self.done:
            self.open.append(name)
            ways, bias = self.into(name)
            self.open.pop()
            self.done[name] = [_through(node, way, size) for way in ways], _biased(node, bias, size)
        return self.done[name]


def _through(node, way, size):
    if node.kind in MATRICES:
        return Way(way.source, node["weight"] @ way.weight, way.delay)
    if node.kind == "Scale":
        return Way(way.source, spread(node, "scale", size)[:, None] * way.weight, way.delay)
    if node.kind != "Delay":
        return way
    delay = spread(node, "delay", size)
    if np.ptp(delay) == 0:
        return Way(way.source, way.weight, way.delay + delay[0])
    if way.weight.shape[0] != way.weight.shape[1] or (way.weight != np.diag(np.diag(way.weight))).any():
        raise GraphError(f"node {node.name!r}: different delays after a matrix; the machine delays spikes before they "
                         "meet weights: put the Delay before the Linear node")
    return Way(way.source, way.weight, way.delay + delay)


def _biased(node, bias, size):
    if node.kind == "Affine" and node["bias"].size not in (1, size):
        raise GraphError(f"node {node.name!r}: bias has {node['bias'].size} values, wanted {size}")
    if node.kind in MATRICES:
        return node["weight"] @ bias + (node["bias"].ravel() if node.kind == "Affine" else 0)
    return spread(node, "scale", size) * bias if node.kind == "Scale" else bias


def _layer(node, size, before, ways, bias):
    by_source = {way.source: way for way in ways}
    values = {key: spread(node, key, size) for key in NEURONS[node.kind]}
    values["v_reset"] = spread(node, "v_reset", size, default=0)
    if node.kind == "CubaLIF":
        values["w_in"] = spread(node, "w_in", size, default=1)
    low = np.flatnonzero(values["v_threshold"] <= values["v_reset"])
    if len(low):
        raise GraphError(f"node {node.name!r}: v_threshold {values['v_threshold'][low[0]]:g} of neuron {low[0]} is not "
                         f"above v_reset {values['v_reset'][low[0]]:g}: such a neuron never rests")
    return Layer(node.name, node.kind, values, by_source[before], by_source.get(node.name), bias)


def _readout(graph, known, ways, last, stop):
    incoming, bias = ways.into(stop)
    if not incoming:
        raise GraphError(f"node {stop!r}: nothing flows into it")
    kind, node = "linear", graph.nodes[stop]
    if len(incoming) == 1 and graph.nodes[incoming[0].source].kind in READOUTS:
        leaky = graph.nodes[incoming[0].source]
        if not np.array_equal(incoming[0].weight, np.eye(known[leaky.name])) or bias.any() or incoming[0].delay.any():
            raise GraphError(f"node {leaky.name!r}: LI is mapped as the readout, right before the Output, without "
                             "weights after it")
        kind, node = "leaky", leaky
        incoming, bias = ways.into(leaky.name)
    for way in incoming:
        if way.source != last:
            raise GraphError(f"node {node.name!r}: read from {way.source!r}, but the machine reads its last layer, "
                             f"{last!r}")
    values = {key: spread(node, key, known[node.name]) for key in READOUTS["LI"]} if kind == "leaky" else {}
    way, = incoming
    if kind == "linear" and way.weight.shape[0] == way.weight.shape[1] and not bias.any() and \
            (way.weight == np.eye(len(bias))).all():
        kind = "spikes"
    unread = [n.name for n in graph.nodes.values() if n.kind in READOUTS and n.name != node.name]
    if unread:
        raise GraphError(f"node {unread[0]!r}: LI is mapped as the readout, right before the Output")
    return Readout(node.name, kind, values, way, bias)
