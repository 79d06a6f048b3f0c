"""An integer model as a NIR graph, for any library that steps NIR's equations; its import gives the same integers.

    sottovoce export --model sw/weights/rsnn-keywords --out keywords.nir

Numbers in the graph are the machine's integers: a weight of 1 is 1 (1 / 2^input_shift in layer 0, whose features are
int8), thresholds lie half a unit below the machine's, so that v > threshold and v >= threshold mean the same. Two time
steps a frame are two steps of the graph: the input holds, recurrent spikes pass a Delay of one step more. What NIR has
no word for (bit widths, lanes, a reset that subtracts) is in the graph's metadata, `sottovoce`, as JSON.
"""

import io
import json
from dataclasses import asdict
from pathlib import Path

import nir
import numpy as np

from hw import store
from sw.integers import integer_model
from sw.networks.graph import GraphError
from sw.networks.import_nir import DT

NO_LEAK = 2.0 ** 60  # steps: 1 - dt / tau is 1 in floats


def graph_of(model, dt=DT):
    """`IntegerModel` -> `nir.NIRGraph`. Raises `GraphError` for what has no such graph."""
    config, steps = model.config, model.time_steps
    scale = 2.0 ** config.potential_fraction
    nodes = {"input": nir.Input(np.array([config.features]))}
    edges, resets, before = [], {}, "input"
    for k, layer in enumerate(config.layers):
        if not layer.persist and (steps > 1 or layer.synapse_shift):
            raise GraphError(f"layer {k}: state that starts each frame from zero has a NIR node only with one time "
                             "step and without a synaptic current: export a model with persist: true")
        name, weights = f"lif{k}", model.matrices[f"forward{k}" if k else "input"].numpy().T
        bias = model.bias_of(k).numpy() / scale
        weights = weights / (1.0 if k else 2.0 ** config.input_shift)
        adds = bias.any() and not layer.synapse_shift  # beside a synaptic current a bias is a leak potential
        nodes[f"into{k}"] = nir.Affine(weights, bias) if adds else nir.Linear(weights)
        nodes[name] = _neurons(layer, model, k, dt, scale)
        _through(nodes, edges, before, model.delays_of(f"forward{k}") * steps if k else None, dt, f"into{k}")
        edges.append((f"into{k}", name))
        if layer.recurrent:
            nodes[f"own{k}"] = nir.Linear(model.matrices[f"recurrent{k}"].numpy().T.astype(np.float64))
            _through(nodes, edges, name, model.delays_of(f"recurrent{k}") * steps + steps - 1, dt, f"own{k}")
            edges.append((f"own{k}", name))
        resets[name], before = layer.reset, name
    nodes["readout"] = nir.Linear(model.fc.numpy().T.astype(np.float64))
    _through(nodes, edges, before, model.delays_of("fc") * steps, dt, "readout")
    nodes["output"] = nir.Output(np.array([config.outputs]))
    edges.append(("readout", "output"))
    note = {"config": config.to_dict(), "dt": dt, "time_steps": steps, "resets": resets, "sha256": model.sha256,
            "logit_step": model.manifest.get("logit_step", 1.0)}
    return nir.NIRGraph(nodes, edges, metadata={"sottovoce": json.dumps(note, default=asdict)}, type_check=False)


def _neurons(layer, model, k, dt, scale):
    """LIF or CubaLIF of a layer: dt / tau = 2^-shift, and a resistance that undoes it, so that inputs count once."""
    leak = model.leak_of(k).numpy().astype(np.float64)
    memory = np.where(leak > 0, 2.0 ** leak, NO_LEAK) if layer.persist else np.ones(layer.neurons)
    zeros = np.zeros(layer.neurons)
    values = {"r": memory, "v_leak": zeros, "v_reset": zeros,
              "v_threshold": (model.threshold_of(k).numpy() - 0.5) / scale}
    if not layer.synapse_shift:
        return nir.LIF(tau=dt * memory, **values)
    values["v_leak"] = model.bias_of(k).numpy() / scale * memory
    synapse = np.full(layer.neurons, 2.0 ** layer.synapse_shift)
    return nir.CubaLIF(tau_syn=dt * synapse, tau_mem=dt * memory, w_in=synapse, **values)


def _through(nodes, edges, source, delay, dt, target):
    """An edge, through a Delay node where any neuron is late; delay: time steps (N,) or None."""
    if delay is None or not delay.any():
        edges.append((source, target))
        return
    name = f"late_{target}"
    nodes[name] = nir.Delay(delay.numpy() * dt)
    edges.extend([(source, name), (name, target)])


def add_arguments(p):
    """Options of the command."""
    p.add_argument("--model", type=Path, required=True, help="model folder: manifest.json and weights.safetensors")
    p.add_argument("--out", type=Path, help="graph file to write (default: build/networks/NAME.nir)")
    p.add_argument("--dt", type=float, default=DT, help="seconds a time step, for tau and delays (%(default)s)")


def run(args):
    if not (np.isfinite(args.dt) and args.dt > 0):
        raise GraphError(f"--dt {args.dt:g}: wanted a number above 0")
    model = integer_model.load(args.model)
    graph = graph_of(model, args.dt)
    out = args.out or Path("build/networks") / f"{model.config.name}.nir"
    held = io.BytesIO()
    nir.write(held, graph)
    store.write_atomically(out, held.getvalue())
    print(f"{out}: {len(graph.nodes)} nodes, {len(graph.edges)} edges, {model.time_steps} time step"
          f"{'s' * (model.time_steps > 1)} a frame, dt {args.dt:g} s; `sottovoce import {out}` gives the same integers")
    return 0
