"""Inner signals that benches look at: named one by one, since making every signal public slows Verilator tenfold."""

PROBES = {
    "accelerator": {
        "lif": ["enable", "layer", "step", "two_steps", "spikes__0", "spikes__1", "spikes__2",
                "spikes__3", "potentials__0", "potentials__1"],
        "pe_array": ["load", "accumulators"],
        "combine": ["current"],
    },
}


def control_file(toplevel):
    """Text of the Verilator control file that publishes the probes of a top level."""
    lines = ["`verilator_config"]
    for module, names in PROBES.get(toplevel, {}).items():
        lines += [f'public_flat_rd -module "{module}" -var "{name}"' for name in names]
    return "\n".join(lines) + "\n"
