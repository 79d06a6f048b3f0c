"""Inner signals that benches look at: named one by one, since making every signal public slows Verilator tenfold."""

import re

PROBES = {
    "accelerator": {
        "lif": ["enable", "layer", "step", "two_steps", "spikes__0", "spikes__1", "spikes__2",
                "spikes__3", "potentials__0", "potentials__1"],
        "pe_array": ["load", "accumulators"],
        "combine": ["current"],
    },
}


def control_file(toplevel, verilog):
    """Text of the Verilator control file that publishes a top level's ports and its probes.

    Only the ports: `--public-depth 1` would publish every net of the top module, and Verilator evaluates whatever a
    writable net drives at each change of any input, which costs the accelerator five times its run time.
    """
    module = re.search(rf"^module {toplevel}\(.*?^endmodule", verilog, re.M | re.S).group()
    ports = re.findall(r"^\s*(input|output)\s(?:signed\s)?(?:\[[^]]*\]\s)?(\w+)\s*;", module, re.M)
    lines = ["`verilator_config"]
    access = {"input": "public_flat_rw", "output": "public_flat_rd"}
    lines += [f'{access[way]} -module "{toplevel}" -var "{name}"' for way, name in ports]
    for block, names in PROBES.get(toplevel, {}).items():
        lines += [f'public_flat_rd -module "{block}" -var "{name}"' for name in names]
    return "\n".join(lines) + "\n"
