"""NIR graph files (HDF5) read into plain nodes and edges. A file is never trusted: sizes are checked before any read.

Format: https://neuroir.org/docs. `nir.read` trusts what it opens and refuses graphs that exporters really write (a
batch axis in the Input's shape, scalar neurons), so the reader here is its own; writing goes through `nir.write`.
"""

from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

FILE_BYTES, NUMBERS, NODES, EDGES, DEPTH, NAME = 1 << 28, 1 << 25, 1024, 8192, 4, 200
PASS = "Pass"  # an Input or Output of a graph inside the graph: nothing happens there


class GraphError(ValueError):
    """A graph that cannot be read or mapped; the message names the node and says what would serve."""


@dataclass(frozen=True)
class Node:
    """One node: `kind` is NIR's type (`LIF`, `Affine`, ...), `values` its parameters as float64 arrays."""

    name: str
    kind: str
    values: dict

    def __getitem__(self, key):
        if key not in self.values:
            raise GraphError(f"node {self.name!r}: {self.kind} without {key!r}")
        return self.values[key]


@dataclass(frozen=True)
class Graph:
    """Nodes by name and edges as (from, to); graphs inside graphs are laid flat, their nodes named `outer.inner`."""

    nodes: dict
    edges: tuple
    metadata: dict = field(default_factory=dict)

    def sources(self, name):
        return [a for a, b in self.edges if b == name]

    def targets(self, name):
        return [b for a, b in self.edges if a == name]


def read(path):
    """Read a `.nir` file. Raises `GraphError` for anything but a well-formed graph of bearable size."""
    path = Path(path)
    if not path.is_file():
        raise GraphError(f"{path} not found: give a NIR graph file")
    if path.stat().st_size > FILE_BYTES:
        raise GraphError(f"{path}: {path.stat().st_size} bytes; at most {FILE_BYTES} are read")
    try:
        with h5py.File(path, "r") as file:
            _measure(file, path)
            root = _member(file, "node", path)
            nodes, edges = {}, []
            _collect(root, "", nodes, edges, 0)
            metadata = _plain(root["metadata"]) if "metadata" in root else {}
    except GraphError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise GraphError(f"{path}: not a readable NIR graph (HDF5): {reason}") from None
    return Graph(nodes, tuple(dict.fromkeys(edges)), metadata)


def _measure(group, path, depth=0, total=0):
    """Refuse links out of the file, deep nests and more than `NUMBERS` numbers before any is read; returns how many."""
    if depth > 2 * DEPTH + 2:
        raise GraphError(f"{path}: graphs nested more than {DEPTH} deep")
    if len(group) > NODES:
        raise GraphError(f"{path}: {len(group)} entries in {group.name!r}; at most {NODES} nodes are read")
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise GraphError(f"{path}: {name!r} is a link; only data in the file itself is read")
        item = group[name]
        if isinstance(item, h5py.Group):
            total = _measure(item, path, depth + 1, total)
            continue
        if not isinstance(item, h5py.Dataset) or item.is_virtual or item.external:
            raise GraphError(f"{path}: {name!r} is kept outside the file; only data in the file itself is read")
        total += int(np.prod(item.shape, dtype=object)) if item.shape else 1
        if total > NUMBERS:
            raise GraphError(f"{path}: {item.name!r} of shape {item.shape} brings the file over {NUMBERS} numbers")
    return total


def _member(group, name, path):
    if name not in group:
        raise GraphError(f"{path}: no {name!r} in the file: it is HDF5, but not a NIR graph")
    return group[name]


def _text(item):
    value = item[()]
    return value.decode() if isinstance(value, bytes) else str(value)


def _plain(group):
    """Metadata as strings and numbers."""
    return {name: _text(item) if h5py.check_string_dtype(item.dtype) else item[()].tolist()
            for name, item in group.items() if isinstance(item, h5py.Dataset)}


def _collect(group, prefix, nodes, edges, depth):
    """Lay a graph's nodes and edges flat into `nodes` and `edges`; returns (its inputs, its outputs) by name."""
    if depth > DEPTH or "nodes" not in group or "edges" not in group:
        raise GraphError(f"graph {prefix.rstrip('.') or 'at the top'!r}: without nodes and edges, or nested too deep")
    ends, inside = ([], []), {}
    for key, item in group["nodes"].items():
        name = prefix + key
        if len(name) > NAME or not name.isprintable():
            raise GraphError(f"node {name[:40]!r}: wanted a printable name of at most {NAME} characters")
        kind = _text(item["type"]) if "type" in item else ""
        if kind == "NIRGraph":
            inside[key] = _collect(item, name + ".", nodes, edges, depth + 1)
            continue
        if kind in ("Input", "Output"):
            ends[kind == "Output"].append(name)
            if depth:
                kind = PASS
        nodes[name] = Node(name, kind, _values(name, item))
        if len(nodes) > NODES:
            raise GraphError(f"more than {NODES} nodes")
    pairs = group["edges"][()]
    if len(pairs) > EDGES:
        raise GraphError(f"{len(pairs)} edges; at most {EDGES} are read")
    for pair in pairs:
        a, b = (p.decode() if isinstance(p, bytes) else str(p) for p in pair)
        for end in (a, b):
            if end not in inside and prefix + end not in nodes:
                raise GraphError(f"edge {a!r} -> {b!r}: there is no node {end!r}")
        for start in inside[a][1] if a in inside else [prefix + a]:
            edges += [(start, stop) for stop in (inside[b][0] if b in inside else [prefix + b])]
    return ends


def _values(name, group):
    """A node's parameters: float64 arrays; text and metadata are left out. Refuses what is no number or not finite."""
    values = {}
    for key, item in group.items():
        if key in ("type", "metadata") or not isinstance(item, h5py.Dataset) or h5py.check_string_dtype(item.dtype):
            continue
        if item.dtype.kind not in "fiub":
            raise GraphError(f"node {name!r}: {key} holds {item.dtype}, not numbers")
        value = np.asarray(item[()], np.float64)
        bad = np.argwhere(~np.isfinite(value))
        if len(bad):
            at = tuple(bad[0].tolist())
            raise GraphError(f"node {name!r}: {key}{list(at) if at else ''} is {value[at]:g}; {len(bad)} of "
                             f"{value.size} values are no finite numbers: train again, or leave them out")
        values[key] = value
    return values
