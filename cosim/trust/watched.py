"""Signals of the accelerator that coverage looks at in every cycle, and the C++ that records them for `trial.cpp`."""

from cosim.rtl import geometry
from cosim.trust import mutation
from hw.interface import WEIGHT_BUFFERS, Buffer
from hw.types import load_layout


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
    if not c.serial_combine:
        inside("combine", ("current", c.lanes * c.accumulator_bits))
        inside("pe_set0", ("load", 1), module="pe_array")
    for k in range(2):
        inside(f"pe_set{k}", ("accumulators", c.lanes * c.accumulator_bits), module="pe_array")
    if c.drain != "direct":
        inside("logit_drain", ("capture", 1))
    _options(c, found, inside)
    for name, (rows, width) in c.sizes().items():
        inside(f"{name}_weights", ("enable", 1), ("write", c.slices), ("address", 16),
               module=f"weight_buffer_{rows}x{width}")
    return found


def _options(c, found, inside):
    """Those of watchdog, parity and kept sums, where a configuration has them."""
    def ports(*names):
        found.update({name: ("accelerator", "", name, bits) for name, bits in names})

    if c.watchdog:
        ports(("bite", 1), ("hung", 1), ("bites", 8))
        inside("watchdog", ("timer", 16), ("stalled", 1), ("sequencer__astray", 1))
        inside("sequencer", ("watched__ends", 1))
    if c.parity:
        ports(("parity_failed", len(WEIGHT_BUFFERS)), ("parity_errors", 32))
        for name in WEIGHT_BUFFERS:
            inside(f"{name}_check", ("wrong", 1), module=f"parity_{c.sizes()[name][1]}x{c.load_bits}")
    if c.changes():
        inside("sequencer", ("kept__use", 1), ("spikes__change", 1))
        inside("spike_select", ("before__0", 2 * c.half), ("before__1", 2 * c.half), ("present", 2 * c.half))


def written(config):
    """Module -> signals that the C++ overwrites, of guards: what an upset reaches, and rows of parity."""
    found = {}
    for name in mutation.UPSET if config.watchdog else ():
        instance, signal = name.split(".")
        found.setdefault(instance, []).append(signal)
    if config.parity:
        for name in WEIGHT_BUFFERS:
            rows, width, _ = config.memories()[f"{name}_parity"]
            found[f"parity_memory_{rows}x{width}"] = ["cells"]
        found["parity_errors"] = ["errors"]
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
    counters += [_inner("parity_count", "errors")] * config.parity
    sets = "".join(f"    {path} = value;\n" for path in [*counters, _inner("counters", "frames")])
    return f"""#pragma once
constexpr int WATCHED = {total};
inline void watch(Vaccelerator& top, uint32_t* out) {{
    auto* root = top.rootp;
{"".join(lines)}}}
inline void set_counters(Vaccelerator& top, uint32_t value) {{
    auto* root = top.rootp;
{sets}}}
{_guards(config)}"""


def _guards(config):
    """C++ that overwrites what `written` names."""
    text = ""
    if config.watchdog:
        text += """inline void set_register(Vaccelerator& top, uint32_t what, uint32_t value) {
    auto* root = top.rootp;
""" + "".join(f"    if (what == {i}) {_inner(*name.split('.'))} = value;\n"
              for i, name in enumerate(mutation.UPSET)) + "}\n"
    if config.parity:
        layout = load_layout(config)
        fields = "".join(f"    const uint32_t {name} = {_field(layout[name])};\n"
                         for name in ("buffer", "row", "slice"))
        text += """inline void turn_parity(Vaccelerator& top, const uint32_t* word) {
    auto* root = top.rootp;
""" + fields + "".join(f"    if (buffer == {Buffer[name.upper()].value}) {_inner(name + '_parity', 'cells')}[row] ^= "
                       "1u << slice;\n" for name in WEIGHT_BUFFERS) + "}\n"
    return text


def _field(field):
    """C++ that reads a field of up to 32 bits from `word`."""
    at, shift = divmod(field.offset, geometry.WORD)
    more = f" | uint64_t(word[{at + 1}]) << 32" if shift + field.width > geometry.WORD else ""
    return f"(uint64_t(word[{at}]){more}) >> {shift} & {(1 << field.width) - 1}u"


def _one_source(config):
    return len(config.layers) == 1


def _spelt(name):
    """Verilator spells a double underscore ___05F."""
    return name.replace("__", "___05F")


def _inner(instance, signal):
    return f"root->accelerator__DOT__{_spelt(instance)}__DOT__{_spelt(signal)}"
