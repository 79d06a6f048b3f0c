"""Test names of the cocotb benches, each with the simulations it takes: (top level, bench module)."""

from cosim.bench.networks import not_steerable
from cosim.errors import CosimError
from hw.config import Delays

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
    "watchdog": [("accelerator", "watchdog")],
    "parity": [("accelerator", "parity")],
}


STEERED = ("parallel_time_steps", "merged_spike", "recurrent_layer", "fc_layer")


def left_out(test, config):
    """Why a test cannot be run on a configuration; "" if it can."""
    if test == "lif" and config.sums_apart:
        return "its currents come from kept_sums; the benches of the whole machine show both"
    if test in ("pe_array", "lpa") and config.serial_combine:
        return "its PE sets load nothing, which the bench wants"
    if test in ("watchdog", "parity") and not getattr(config, test):
        return f"it is not built: {test}: true builds it"
    if test == "zero_skip" and config.step_difference:
        return "its PE set 1 takes differences; the benches of the whole machine show them"
    if test in (*STEERED, "sparknet_head") and config.readout != "logits":
        return f"its logits do not leave: readout: {config.readout}"
    if test in STEERED:
        return not_steerable(config)
    alike = {(x.neurons, x.recurrent, x.threshold, x.bias, x.synapse_shift, x.delays) for x in config.layers}
    plain = (config.layers[0].neurons, True, "layer", False, 0, Delays())
    fits = alike == {plain} and len(config.layers) == 2 and not config.readout_delay and all(
        isinstance(x.leak_shift, int) and x.leak_shift for x in config.layers)
    if test == "sparknet_head" and not fits:
        return "the head is mapped to two recurrent layers alike, without tables of single neurons"
    return ""


def select(name, config):
    """Tests behind a name that a configuration can run; raises `CosimError` that says why not, or lists the names."""
    if name == "all":
        return [test for test in TESTS if not left_out(test, config)]
    if name not in TESTS:
        raise CosimError(f"no test {name!r}; there are {', '.join(TESTS)} and all")
    if left_out(name, config):
        raise CosimError(f"{config.name}: test {name!r}: {left_out(name, config)}")
    return [name]
