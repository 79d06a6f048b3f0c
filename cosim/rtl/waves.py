"""The list of signals that a waveform viewer opens a trace with: those that matter, grouped by block.

    save(Path("t.fst"), Path("t.gtkw"), "accelerator", verilog, phases)     then: gtkwave t.gtkw

The ports of the top level come first, then every block that it is made of, with the signals that tell what it does. The
phases of the sequencer are shown by their names. Signals that a configuration does not have are left out; that none
is misspelt is tested (tests/cosim/rtl/test_waves.py).
"""

import io
import re

from vcd.gtkw import GTKWSave

from hw import store

SCAN = ("scan__start", "scan__advance", "scan__mask", "scan__gate", "scan__split", "scan__visits__0", "scan__visits__1",
        "scan__gates__0", "scan__gates__1", "scan__doubles__0", "scan__doubles__1", "scan__last")
MATTERS = {  # module (or its beginning) -> signals
    "sequencer": ("phase", "idle", "available", "drain_ready", "operation"),
    "input_buffer": ("x__valid", "x__ready", "x__payload", "available", "discard"),
    "input_scan": ("word", "scan__advance", "scan__index", "scan__read", "scan__visits__0", "scan__visits__1",
                   "scan__last"),
    "spike_select": ("source", "commit", "chosen__0", "chosen__1"),
    "zero_skip": ("spikes__0", "spikes__1", *SCAN),
    "weight_buffer_": ("enable", "write", "address", "write_data", "read_data"),
    "pe_array": ("gate", "shift", "negate", "clear", "load", "row", "accumulators"),
    "combine": ("low", "high", "current"),
    "lif": ("seen", "seen_word", "seen_step", "seen_currents", "seen_potentials", "seen_spikes", "clear"),
    "logit_drain": ("capture", "last_pass", "ready", "logits__valid", "logits__ready", "logits__payload"),
    "counters": ("count", "frame"),
}
NAMED = ("sequencer.phase", "counters.phase")  # shown by the names of phases
DECLARED = re.compile(r"^  (input|output|wire|reg)\s+(?:signed\s+)?(?:\[(\d+):(\d+)\]\s+)?(\w+)\s*(?:=[^;]*)?;", re.M)
INSTANCE = re.compile(r"^  (\w+) (\w+) \($", re.M)
MODULE = re.compile(r"^module (\w+)\(.*?^endmodule", re.M | re.S)


def modules(verilog):
    """Module -> (its signals: name -> range as a viewer writes it, its ports, its instances: name -> module)."""
    found = {}
    for module in MODULE.finditer(verilog):
        declared = [(kind, name, f"[{high}:{low}]" if high else "")
                    for kind, high, low, name in DECLARED.findall(module[0])]
        found[module[1]] = ({name: span for _, name, span in declared},
                            list(dict.fromkeys(name for kind, name, _ in declared if kind in ("input", "output"))),
                            {})
    for module in MODULE.finditer(verilog):
        found[module[1]][2].update({name: kind for kind, name in INSTANCE.findall(module[0]) if kind in found})
    return found


def groups(top, verilog):
    """(block's path, its signals with their ranges) of the top level and of every block below it, outer ones first."""
    known = modules(verilog)

    def place(module):
        """The block's place on the data's way through the machine; what is not listed comes last."""
        return next((i for i, start in enumerate(MATTERS) if module.startswith(start)), len(MATTERS))

    def below(path, module):
        signals, ports, instances = known[module]
        wanted = list(MATTERS.values())[place(module)] if place(module) < len(MATTERS) else ()
        if path == top:
            wanted = sorted(ports, key=lambda name: name not in ("clk", "rst"))
        shown = [name + signals[name] for name in wanted if name in signals]
        if shown:
            yield path, shown
        for name, kind in sorted(instances.items(), key=lambda item: place(item[1])):
            yield from below(f"{path}.{name}", kind)

    return list(below(top, top))


def save(trace, target, top, verilog, phases=()):
    """Write `target`, a save file of GTKWave for the trace of a top level; phase names go to a file beside it."""
    names = target.with_suffix(".phases")
    text = io.StringIO()
    view = GTKWSave(text)
    view.dumpfile(str(trace.resolve()))
    view.savefile(str(target.resolve()))
    view.size(1600, 900)
    view.signals_width(320)
    for path, signals in groups(top, verilog):
        with view.group(path, closed=path.count(".") > 1):
            for signal in signals:
                named = phases and re.sub(r"\[.*", "", f"{path}.{signal}").endswith(NAMED)
                view.trace(f"{path}.{signal}", translate_filter_file=str(names.resolve()) if named else None)
    if phases:
        store.write_atomically(names, "".join(f"{p.value:x} {p.name}\n" for p in phases).encode())
    store.write_atomically(target, text.getvalue().encode())
    return target
