"""A NIR graph run in floats by NIR's own equations: the reference that the integers are compared with.

Each node as https://neuroir.org/docs/primitives writes it, stepped by forward Euler:

    LIF       v <- v + dt/tau (v_leak - v + r i);  spike where v > v_threshold, there v <- v_reset
    IF        v <- v + dt r i;                     likewise
    CubaLIF   c <- c + dt/tau_syn (w_in i - c);  v <- v + dt/tau_mem (v_leak - v + r c);  likewise
    LI        v <- v + dt/tau (v_leak - v + r i)

Nodes are evaluated in one pass a step, so a spike crosses any number of nodes within its step; only where spikes run in
a cycle do they arrive one step later. This module knows nothing of the machine: no leak shifts, no integers, no chain.
NIR cannot say that a reset subtracts the threshold (several libraries' exporters leave it out); `resets` says it.
"""

import math

import numpy as np

from sw.networks.graph import PASS, GraphError
from sw.networks.shapes import MATRICES, NEURONS, READOUTS, sizes, spread


def order(graph):
    """(names in the order of evaluation, edges whose spikes arrive one step later)."""
    reach = {name: _reached(graph, name) for name in graph.nodes}
    late = {(a, b) for a, b in graph.edges if graph.nodes[a].kind in NEURONS and a in reach[b]}
    waiting = {name: {a for a in graph.sources(name) if (a, name) not in late} for name in graph.nodes}
    names = []
    while waiting:
        ready = [name for name, sources in waiting.items() if not sources]
        if not ready:
            raise GraphError(f"node {next(iter(waiting))!r}: a cycle without state: put a LIF or IF node into it")
        for name in ready:
            del waiting[name]
        for sources in waiting.values():
            sources.difference_update(ready)
        names += ready
    return names, late


def _reached(graph, name):
    """Nodes that follow `name`, itself included."""
    seen, todo = {name}, [name]
    while todo:
        for target in graph.targets(todo.pop()):
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


class Delays:
    """The last outputs of a Delay node: each value leaves `steps` steps after it came."""

    def __init__(self, steps, batch):
        self.steps = steps
        self.held = np.zeros((int(steps.max(initial=0)) + 1, batch, len(steps)))

    def step(self, value):
        self.held = np.roll(self.held, 1, 0)
        self.held[0] = value
        return self.held[self.steps, :, np.arange(len(self.steps))].T


def run(graph, x, dt, resets=None, progress=None, potentials=None):
    """Run features x (B, T, F) -> node name -> what it gave, (B, T, size): spikes of neurons, values of the Output.

    `resets`: node name -> `subtract`, where it is not zero. `potentials`, a dict, is filled with what spiking nodes had
    before they fired, (B, T, size) float32.
    """
    resets = resets or {}
    known = sizes(graph)
    names, late = order(graph)
    start, stop = (next(n.name for n in graph.nodes.values() if n.kind == kind) for kind in ("Input", "Output"))
    x = np.asarray(x, np.float64)
    if x.ndim != 3 or x.shape[-1] != known[start]:
        raise GraphError(f"features of shape {x.shape}, wanted (clips, frames, {known[start]})")
    batch, frames = x.shape[:2]
    states = {name: _state(graph.nodes[name], known[name], batch, dt) for name in names}
    kept = [name for name in names if graph.nodes[name].kind in NEURONS] + [stop]
    out = {name: np.zeros((batch, frames, known[name]), bool if name != stop else np.float64) for name in kept}
    given = {name: np.zeros((batch, known[name])) for name in names}
    for t in (progress or iter)(range(frames)):
        before, given = given, {start: x[:, t]}
        for name in names:
            sources = [before[a] if (a, name) in late else given[a] for a in graph.sources(name)]
            if name != start:
                given[name] = _step(graph.nodes[name], sum(sources), states[name], resets.get(name, "zero"))
            if name in out:
                out[name][:, t] = given[name]
            if potentials is not None and graph.nodes[name].kind in NEURONS:
                potentials.setdefault(name, np.zeros(out[name].shape, np.float32))[:, t] = states[name]["reached"]
    return out


def _state(node, size, batch, dt):
    """Parameters of a node, spread to its size, and its state."""
    if node.kind in NEURONS or node.kind in READOUTS:
        keys = (NEURONS | READOUTS)[node.kind]
        state = {key: spread(node, key, size) for key in keys} | {"v": np.zeros((batch, size)), "dt": dt}
        state |= {key: spread(node, key, size, default) for key, default in (("v_reset", 0), ("w_in", 1))}
        return state | {"c": np.zeros((batch, size))}
    if node.kind == "Delay":
        return Delays(np.array([math.floor(d / dt + 0.5) for d in spread(node, "delay", size)]), batch)
    return {"scale": spread(node, "scale", size)} if node.kind == "Scale" else {}


def _step(node, i, s, reset):
    if node.kind in MATRICES:
        return i @ node["weight"].T + (node["bias"].ravel() if node.kind == "Affine" else 0)
    if node.kind == "Scale":
        return i * s["scale"]
    if node.kind == "Delay":
        return s.step(i)
    if node.kind in ("Flatten", "Output", PASS):
        return i
    if node.kind == "IF":
        v = s["v"] + s["dt"] * s["r"] * i
    elif node.kind == "CubaLIF":
        s["c"] += s["dt"] / s["tau_syn"] * (s["w_in"] * i - s["c"])
        v = s["v"] + s["dt"] / s["tau_mem"] * (s["v_leak"] - s["v"] + s["r"] * s["c"])
    else:
        v = s["v"] + s["dt"] / s["tau"] * (s["v_leak"] - s["v"] + s["r"] * i)
    if node.kind in READOUTS:
        s["v"] = v
        return v
    s["reached"], spikes = v, v > s["v_threshold"]
    s["v"] = np.where(spikes, s["v_reset"] if reset == "zero" else v - s["v_threshold"], v)
    return spikes.astype(np.float64)
