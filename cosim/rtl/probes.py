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
    return control_file(_present(BENCHES.get(toplevel, {}), verilog),
                        [f'{access[way]} -module "{toplevel}" -var "{name}"' for way, name in ports])


def _present(probes, verilog):
    """Of probes those whose module and signal a configuration has."""
    texts = {module: re.search(rf"^module {module}\(.*?^endmodule", verilog, re.M | re.S) for module in probes}
    return {module: [name for name in names if re.search(rf"\b{name}\b", texts[module].group())]
            for module, names in probes.items() if texts[module]}
