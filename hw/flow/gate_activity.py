"""Activity of the mapped netlist over real frames, as SAIF for power analysis; logits come along to be checked.

    sottovoce gates --config paper --frames 3 --stimulus-only
    sottovoce gate-activity --config paper
    sottovoce gate-activity --config paper --activity published --layout
    sottovoce gate-activity --config tiny --layout lif pe_array      these blocks as routed, the rest as mapped

A stimulus file (written by the first command from a model and a recording) holds words for the load port
and features. Weights are put into the SRAMs directly; registers go through the port; then frames run, the first
`skip` of them unrecorded.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hw import store
from hw.flow.lib import library as libraries
from hw.flow.lib import memories, routed, runs
from hw.flow.lib.compiled_gates import SettledInC
from hw.flow.lib.errors import FlowError
from hw.flow.lib.gate_simulator import GateSimulator
from hw.flow.lib.netlist import Netlist
from hw.interface import WEIGHT_BUFFERS, Buffer
from hw.types import load_layout, logits_layout

PERIOD = 10  # ns a cycle in the file; energies do not depend on it


def read_stimulus(path, config):
    """(words of the load port as integers, clear word, features (T, F) as bytes) of the first utterance."""
    path = Path(path)
    if not path.is_file():
        raise FlowError(f"{path}: no such stimulus; make it with `sottovoce gates --stimulus-only`")
    words = np.fromfile(path, np.uint32)
    width = -(-load_layout(config).size // 32)
    loads = int(words[0])

    def number(part):
        return sum(int(w) << (32 * i) for i, w in enumerate(part))

    clear = number(words[3:3 + width])
    at = 3 + width
    table = words[at:at + loads * width].reshape(loads, width)
    at += loads * width
    frames = int(words[at])
    features = words[at + 1:at + 1 + frames * config.features]
    if len(features) != frames * config.features:
        raise FlowError(f"{path}: ends early, or is of another configuration than {config.name}")
    return [number(row) for row in table], clear, features.reshape(frames, config.features) & 0xFF


class NetlistBench:
    """Drives a `GateSimulator` of the accelerator."""

    def __init__(self, config, netlist, buffers, unit_delay=False):
        self.config, self.buffers = config, buffers
        kinds = {b.macro.name: b.macro for b in buffers.values()}
        self.sim = GateSimulator(netlist, kinds, unit_delay) if unit_delay or not shutil.which("gcc") else \
            SettledInC(netlist, kinds)
        self.sim.set("rst", 1)
        self.sim.set("logits__ready", 1)
        self.sim.settle()
        for _ in range(4):
            self.sim.step()
        self.sim.set("rst", 0)
        self.sim.settle()

    def load(self, words):
        """Weights straight into the macros; register words through the port."""
        layout = load_layout(self.config)

        def part(word, name):
            field = layout[name]
            return word >> field.offset & (1 << field.width) - 1

        sim, parity = self.sim, {}
        for word in words:
            target = Buffer(part(word, "buffer"))
            name = "neuron_table" if target is Buffer.NEURONS else target.name.lower()
            if name not in self.buffers:  # registers, and tables in flip-flops
                sim.set("load__payload", word)
                sim.set("load__valid", 1)
                sim.settle()
                if not sim.get("load__ready"):
                    raise FlowError("the load port is not ready while idle")
                sim.step()
                continue
            buffer = self.buffers[name]
            bank, row = divmod(part(word, "row"), buffer.macro.rows)
            data = part(word, "data")
            block = name if target is Buffer.NEURONS else f"{name}_weights"
            path = f"{block}/macro_{bank}_{part(word, 'slice')}"
            self._preset(path, row, data, buffer.macro.bits)
            if beside := self.buffers.get(f"{name}_parity"):
                key = name, part(word, "row")
                parity[key] = parity.get(key, 0) | (data.bit_count() & 1) << part(word, "slice")
                self._preset(f"{name}_parity/macro_0_0", key[1], parity[key], beside.macro.bits)
        sim.set("load__valid", 0)
        sim.settle()

    def _preset(self, path, row, value, bits):
        self.sim.preset(path if path in self.sim.macros else routed.plain(path), row,
                        [value >> i & 1 for i in range(bits)])

    def reads(self):
        return [self.sim.get(f"row_reads__{i}") for i in range(len(WEIGHT_BUFFERS))]

    def run(self, features, skip, progress=lambda: None):
        """Frames through the netlist; returns logits (T, O) and what the recorded window holds."""
        c, sim = self.config, self.sim
        flat, sent, logits, beats = features.ravel().tolist(), 0, [], []
        layout = logits_layout(c)
        size = c.result_bits
        before, idle = self.reads() if c.counters else None, 0
        while len(logits) < len(features):
            if len(logits) >= skip and not sim.recording:
                sim.recording = True
                before = self.reads() if c.counters else None
            sim.set("x__valid", int(sent < len(flat)))
            if sent < len(flat):
                sim.set("x__payload", flat[sent])
            sim.settle()
            taken = sent < len(flat) and sim.get("x__ready")
            if sim.get("logits__valid"):
                payload = sim.get("logits__payload")
                beats += [payload >> (i * size) & (1 << size) - 1 for i in range(c.results_per_beat)]
                if payload >> layout["last"].offset & 1:
                    logits.append(beats)
                    beats, idle = [], 0
                    progress()
            sim.step()
            sent, idle = sent + taken, idle + 1
            if idle > 100000:
                raise FlowError("no logits for 100000 cycles: the netlist does not work")
        codes = np.array(logits)
        reads = dict(zip(WEIGHT_BUFFERS, (a - b for a, b in zip(self.reads(), before, strict=True)), strict=True)) \
            if c.counters else {}
        return np.where(codes >> (size - 1), codes - (1 << size), codes), {
            "cycles": sim.cycles, "frames": len(features) - skip, "row_reads": reads}


def saif(sim, path, top):
    """Write the activity of every pin of every leaf, in nested instances, as SAIF 2.0."""
    tree = {}
    for name, cell, pins in sim.pins:
        *parents, leaf = name.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = (cell, pins)
    length = sim.cycles * PERIOD
    clocks = sim.clock_roots

    def port(name, net):
        root = clocks.get(net, net)
        changes = 2 * sim.cycles if root == sim.clock else int(sim.toggles[root])
        high = (changes * PERIOD) // 4 if net in clocks else int(sim.high[net]) * PERIOD
        return f"({name} (T0 {length - high}) (T1 {high}) (TX 0) (TC {changes}))"

    with Path(path).open("w") as out:
        out.write(f'(SAIFILE (SAIFVERSION "2.0") (DIRECTION "backward") (DIVIDER /) (TIMESCALE 1 ns) '
                  f'(DURATION {length})\n(INSTANCE {top}\n')

        def walk(node):
            for name, inner in node.items():
                out.write(f"(INSTANCE {name}\n")
                if isinstance(inner, dict):
                    walk(inner)
                else:
                    # OpenSTA takes a leaf's pins from NET entries and skips PORT ones
                    out.write("(NET " + " ".join(port(pin, net) for pin, net in inner[1].items()) + ")\n")
                out.write(")\n")

        walk(tree)
        out.write("))\n")


def against_golden(logits, stimulus):
    """How many logits were compared with the golden ones beside the stimulus, and how many differ."""
    path = Path(stimulus).with_suffix(".npy")
    if not path.is_file():
        return {}
    golden = np.load(path)
    if golden.shape != logits.shape:
        raise FlowError(f"{path}: logits of shape {golden.shape}, the netlist gave {logits.shape}")
    return {"logits_compared": logits.size, "logits_differ": int((golden != logits).sum())}


def record(config, library, folder, stimulus, skip, settings, made_by="", netlist=None,
           glitches=False):
    """Simulate and leave `activity.saif`, `logits.npy` and, last, `activity.json` in `folder`.

    `settings` are those of the synthesis; `netlist` is the JSON to simulate (default: the folder's);
    `glitches` counts them as if every gate had one delay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "activity.json").unlink(missing_ok=True)  # whoever finds it finds the other two whole
    buffers = memories.built(config, library, settings)
    netlist = Netlist(netlist or folder / "netlist.json", library.cells.cells, "accelerator")
    words, _, features = read_stimulus(stimulus, config)
    if not 0 <= skip < len(features):
        raise FlowError(f"skip={skip}: the stimulus has {len(features)} frames")
    bench = NetlistBench(config, netlist, buffers, glitches)
    bench.load(words)
    with tqdm(total=len(features), unit="frame", file=sys.stderr, leave=False) as bar:
        logits, window = bench.run(features, skip, bar.update)
    np.save(folder / "logits.npy", logits.astype(np.int32))
    window |= against_golden(logits, stimulus)
    window["command"] = made_by
    saif(bench.sim, folder / "activity.saif", "accelerator")
    store.write_json(folder / "activity.json", window)
    return logits, window


def activity_arguments(parser):
    """Whose frames, and in which netlist."""
    parser.add_argument("--activity", choices=tuple(runs.ACTIVITIES), default="speech",
                        help="some frames of the recording, all of them, or frames of the published activity "
                        "(default: %(default)s)")
    parser.add_argument("--layout", nargs="*", metavar="BLOCK", help="the netlist of `sottovoce layout`: the whole, or "
                        "else all blocks that have one; with names those blocks alone, the rest as mapped")
    parser.add_argument("--glitches", action="store_true",
                        help="count glitches too, as if every gate had the same delay: an upper bound")


def add_arguments(parser):
    """Options of the command."""
    libraries.arguments(parser)
    parser.add_argument("--stimulus", type=Path, help="file that `gates --stimulus-only` wrote "
                        "(default: OUT/CONFIG/stimulus.bin)")
    activity_arguments(parser)
    parser.add_argument("--skip", type=int, help="frames before recording starts (default: 1 of speech, 2 of the "
                        "published activity, which fill the network's state)")


def run(args):
    """Record, and hold the netlist's logits to the golden ones."""
    config, library, base = runs.opened(args)
    settings = runs.synthesised(base, args)["settings"]
    folder = runs.activity_of(base, routed.stage_of(args.layout), args.activity, args.glitches)
    netlist = base / "netlist.json"
    if args.layout is not None:
        place, blocks, _ = routed.collect(base, library, args.layout or None)
        netlist = place / "netlist.json"
        print(f"routed: {', '.join(blocks)}")
    logits, window = record(config, library, folder, args.stimulus or runs.stimulus_of(args, config, args.activity),
                            runs.ACTIVITIES[args.activity] if args.skip is None else args.skip, settings,
                            args.command, netlist, args.glitches)
    print(f"{folder / 'activity.saif'}: {window['frames']} frames, {window['cycles']} cycles, row reads "
          f"{sum(window['row_reads'].values())}; {logits.shape[0]} x {logits.shape[1]} logits, "
          f"{window.get('logits_differ', 'none')} differ from golden ({window.get('logits_compared', 0)} compared)")
    if window.get("logits_differ"):
        raise FlowError("the netlist's logits differ from the golden model's")
