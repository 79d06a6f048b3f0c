"""Signals of the accelerator that coverage looks at in every cycle, and the C++ that records them for `trial.cpp`."""

from cosim.rtl import geometry
from hw.interface import WEIGHT_BUFFERS


def signals(config):
    """Name -> (module, its instance, signal there, bits); of the top's own ports the instance is ""."""
    c = config
    found = {name: ("accelerator", "", port, bits) for name, port, bits in (
        ("rst", "rst", 1), ("x_valid", "x__valid", 1), ("x_ready", "x__ready", 1), ("x", "x__payload", 8),
        ("load_valid", "load__valid", 1), ("load_ready", "load__ready", 1), ("logits_valid", "logits__valid", 1),
        ("logits_ready", "logits__ready", 1), ("idle", "idle", 1), ("starved", "starved", 1),
        ("load_errors", "load_errors", 8))}

    def inside(instance, *names, module=""):
        for name, bits in names:
            found[f"{instance}.{name}"] = (module or instance, instance, name, bits)

    inside("sequencer", ("position", 8), ("mode", 4), ("drain_ready", 1), ("digits__first", 1), ("digits__advance", 1),
           ("spikes__start", 1), ("spikes__advance", 1), ("spikes__mask", 2), ("spikes__gate", 2),
           ("spikes__split", 1), ("source", 8), ("discard", 1))
    inside("spike_select", ("chosen__0", 2 * c.half), ("chosen__1", 2 * c.half))
    inside("load_port", ("taken", 8), ("clear_state", 1), ("clear_counters", 1))
    inside("lif", ("enable", 1), ("layer", 3), ("threshold", c.potential_bits + 1),
           *((f"v_{lane}", c.potential_bits) for lane in range(c.lif_lanes)))
    inside("combine", ("current", c.lanes * c.accumulator_bits))
    for k in range(2):
        inside(f"pe_set{k}", ("accumulators", c.lanes * c.accumulator_bits), module="pe_array")
    inside("pe_set0", ("load", 1), module="pe_array")
    inside("logit_drain", ("capture", 1))
    for name, (rows, width) in c.sizes().items():
        inside(f"{name}_weights", ("enable", 1), ("write", c.slices), ("address", 16),
               module=f"weight_buffer_{rows}x{width}")
    return found


def probes(config):
    """For `cosim.rtl.probes.control_file`: module -> signals."""
    found = {}
    for module, instance, name, _ in signals(config).values():
        if instance:
            found.setdefault(module, set()).add(name)
    return {module: sorted(names) for module, names in found.items()}


def columns(config):
    """Name -> the 32-bit words of a cycle's record that hold it."""
    at, found = 0, {}
    for name, (*_, bits) in signals(config).items():
        count = geometry.words(bits)
        found[name], at = slice(at, at + count), at + count
    return found


def header(config):
    """Text of `watched.hpp`: a cycle's record, and the counters, which coverage sets to what no run lives to see."""
    lines = []
    for name, (_, instance, signal, bits) in signals(config).items():
        path = f"top.{_spelt(signal)}" if not instance else _inner(instance, signal)
        count, at = geometry.words(bits), columns(config)[name].start
        if name == "lif.layer" and len(config.layers) == 1 or name == "sequencer.source" and _one_source(config):
            continue
        lines.append(f"    get_port({path}, out + {at}, {count});\n")
    total = sum(part.stop - part.start for part in columns(config).values())
    counters = [_inner("counters", f"{name}__{i}") for name, count in (
        ("cycles", len(geometry.phases(config))), ("row_reads", len(WEIGHT_BUFFERS))) for i in range(count)]
    sets = "".join(f"    {path} = value;\n" for path in [*counters, _inner("counters", "frames")])
    return f"""#pragma once
constexpr int WATCHED = {total};
inline void watch(Vaccelerator& top, uint32_t* out) {{
    auto* root = top.rootp;
{"".join(lines)}}}
inline void set_counters(Vaccelerator& top, uint32_t value) {{
    auto* root = top.rootp;
{sets}}}
"""


def _one_source(config):
    return len(config.layers) == 1


def _spelt(name):
    """Verilator spells a double underscore ___05F."""
    return name.replace("__", "___05F")


def _inner(instance, signal):
    return f"root->accelerator__DOT__{_spelt(instance)}__DOT__{_spelt(signal)}"
