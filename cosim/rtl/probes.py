"""Inner signals that are looked at, named one by one: making every signal public slows Verilator tenfold."""

import re

HARNESS = {"lif": ["seen", "seen_word", "seen_step", "seen_spikes", "seen_potentials"], "counters": ["frame"]}
BENCHES = {
    "lif": {"lif": ["seen_potentials"]},
    "accelerator": {
        "lif": [*HARNESS["lif"], "seen_currents"],
        "pe_array": ["load", "accumulators"],
        "combine": ["current"],
        "kept_sums": ["combine", "current__data"],
    },
}


FORCED = {  # what benches of what guards a machine overwrite, as an upset does; module (a pattern) -> registers
    "watchdog": {"sequencer": ["position", "step", "spikes__start", "pass_", "chunk", "operation"],
                 "input_scan": ["scan__index", "begun", "remaining_0", "remaining_1"],
                 "zero_skip": ["remaining_0", "remaining_1"]},
    "parity_errors": {r"weight_buffer_\w+": ["cells"], r"parity_memory_\w+": ["cells"]},
}


def control_file(probes, lines=(), access="public_flat_rd"):
    """Text of the Verilator control file that publishes `probes`, module -> signals, for reading, or as `access` says.
    """
    access = [f'{access} -module "{module}" -var "{name}"' for module, names in probes.items() for name in names]
    return "\n".join(["`verilator_config", *lines, *access]) + "\n"


def bench_control_file(toplevel, verilog):
    """The same for a cocotb bench: the ports of a top level, and its probes.

    Only the ports: `--public-depth 1` would publish every net of the top module, and Verilator evaluates whatever a
    writable net drives at each change of any input, which costs the accelerator five times its run time.
    """
    module = re.search(rf"^module {toplevel}\(.*?^endmodule", verilog, re.M | re.S).group()
    ports = re.findall(r"^\s*(input|output)\s(?:signed\s)?(?:\[[^]]*\]\s)?(\w+)\s*;", module, re.M)
    access = {"input": "public_flat_rw", "output": "public_flat_rd"}
    lines = [f'{access[way]} -module "{toplevel}" -var "{name}"' for way, name in ports]
    for module, name in _forced(verilog) if toplevel in BENCHES else ():
        lines.append(f'public_flat_rw -module "{module}" -var "{name}"')
    return control_file(_present(BENCHES.get(toplevel, {}), verilog), lines)


def _forced(verilog):
    """(module, register) of `FORCED`, of the guards that a configuration has."""
    for guard, wanted in FORCED.items():
        if not re.search(rf"^module {guard}\(", verilog, re.M):
            continue
        for pattern, names in wanted.items():
            for module in sorted(set(re.findall(rf"^module ({pattern})\(", verilog, re.M))):
                yield from ((module, name) for name in _present({module: names}, verilog)[module])


def _present(probes, verilog):
    """Of probes those whose module and signal a configuration has."""
    texts = {module: re.search(rf"^module {module}\(.*?^endmodule", verilog, re.M | re.S) for module in probes}
    return {module: [name for name in names if re.search(rf"\b{name}\b", texts[module].group())]
            for module, names in probes.items() if texts[module]}
