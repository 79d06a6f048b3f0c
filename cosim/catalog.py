"""TEST names of `make cosim`, each with the simulations it takes: (top level, bench module)."""

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
    "sparknet_head": [("accelerator", "sparknet_head")],
}


def select(name):
    """Tests behind a TEST name; raises `KeyError` with a message that lists those that exist."""
    if name == "all":
        return list(TESTS)
    if name not in TESTS:
        raise KeyError(f"no TEST={name}; there are {', '.join(TESTS)} and all")
    return [name]
