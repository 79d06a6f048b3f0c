"""A NIR graph of another library becomes integers of the machine; then the circuit is held to them, bit for bit.

    python examples/import_nir.py                                  a small recurrent network, drawn at random
    python examples/import_nir.py mine.nir --features mine.npy     yours; (clips, frames, features), int8 or float
"""

import argparse
import tempfile
from pathlib import Path

import nir
import numpy as np

import sottovoce
from sw.networks import import_nir

DT = 1e-4  # seconds a step in the graph, as snnTorch and SpikingJelly write it


def drawn(folder, rng):
    """A graph as a library would write it: 8 features, 12 recurrent LIF neurons, 4 outputs; and calibration clips."""
    rate = rng.uniform(0.1, 0.5, 12)  # dt / tau: how much of its potential a neuron loses in a step
    neurons = nir.LIF(tau=DT / rate, r=1 / rate, v_leak=np.zeros(12), v_threshold=np.ones(12), v_reset=np.zeros(12))
    nodes = {"input": nir.Input(np.array([8])), "into": nir.Linear(rng.normal(0, 0.6, (12, 8))), "lif": neurons,
             "own": nir.Linear(rng.normal(0, 0.3, (12, 12))), "read": nir.Linear(rng.normal(0, 0.4, (4, 12))),
             "output": nir.Output(np.array([4]))}
    edges = [("input", "into"), ("into", "lif"), ("lif", "own"), ("own", "lif"), ("lif", "read"), ("read", "output")]
    nir.write(folder / "drawn.nir", nir.NIRGraph(nodes, edges, type_check=False))
    np.save(folder / "drawn.npy", rng.normal(0, 1, (24, 50, 8)).astype(np.float32))
    return folder / "drawn.nir", folder / "drawn.npy"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("graph", nargs="?", type=Path)
    parser.add_argument("--features", type=Path, help=".npy of calibration clips (clips, frames, features)")
    parser.add_argument("--weight-bits", type=int, default=4)
    args = parser.parse_args(arguments)

    with tempfile.TemporaryDirectory() as folder:
        graph, features = (args.graph, args.features) if args.graph else drawn(Path(folder), np.random.default_rng(1))
        done = import_nir.run_import(graph, samples=features, weight_bits=args.weight_bits)
    model, report = done.model, done.report
    for layer in report["layers"]:
        print(f"layer {layer['name']}: {layer['neurons']} neurons")
    print(f"spikes that the integers and the graph in floats agree on: {report['spike_agreement']:.1%}")

    # Rounding is the import's business. From here on nothing may differ: every spike, potential, logit, cycle and read.
    x = np.random.default_rng(2).integers(-128, 128, (200, model.config.features)).astype(np.int8)
    rtl = sottovoce.Rtl(model)  # emits the Verilog and compiles it
    differs = rtl.predict(x).first_difference(model.predict(x))
    print(f"RTL against integers, {len(x)} frames: {differs or 'no difference'}")
    return 1 if differs else 0


if __name__ == "__main__":
    raise SystemExit(main())
