"""Test names of the cocotb benches, each with the simulations it takes: (top level, bench module)."""

from cosim.errors import CosimError

TESTS = {
    "pe_array": [("pe_array", "pe_array")],
    "zero_skip": [("zero_skip", "zero_skip")],
    "merged_spike": [("accelerator", "merged_spike")],
    "parallel_time_steps": [("accelerator", "parallel_time_steps")],
    "input_layer": [("input_scan", "input_scan"), ("combine", "combine"), ("accelerator", "input_layer")],
    "recurrent_layer": [("accelerator", "recurrent_layer")],
    "fc_layer": [("accelerator", "fc_layer")],
    "lif": [("lif", "lif")],
    "weight_buffer": [("weight_buffer", "weight_buffer")],
    "backpressure": [("accelerator", "backpressure")],
    "accelerator": [("accelerator", "accelerator")],
    "lpa": [("pe_array", "lpa")],
    "bus_axi": [("accelerator_axi", "bus_axi")],
    "bus_wishbone": [("accelerator_wishbone", "bus_wishbone")],
    "sparknet_head": [("accelerator", "sparknet_head")],
}


def select(name):
    """Tests behind a name; raises `CosimError` that lists those that exist."""
    if name == "all":
        return list(TESTS)
    if name not in TESTS:
        raise CosimError(f"no test {name!r}; there are {', '.join(TESTS)} and all")
    return [name]
