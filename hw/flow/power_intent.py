"""Power intent of the accelerator that sleeps, as IEEE 1801 (UPF 2.1) text for the flow that maps it.

Three domains: the controller, always on; `core`, behind a switch; the memories in it, always on, whose cells keep the
weights. Outputs of `core` and what it says to the memories are clamped to 0. The registers of every block that is not
`lost` (`hw.accelerator.lost`) are retained. Clock and reset of memories and retention cells must be driven from the
always-on supply: clock trees are the layout's. Voltages are the library's.
"""

import re

from hw.accelerator import lost

CORE = "core"  # instance of the accelerator in `hw.sleep.Sleeper`


def instances(verilog):
    """{instance: module} of what the accelerator holds, in emitted Verilog of `hw.emit.SLEEP`."""
    modules = set(re.findall(r"^module (\w+)", verilog, re.M))
    inside = re.search(r"^module accelerator\(.*?^endmodule", verilog, re.M | re.S)[0]
    found = {name: module for module, name in re.findall(r"^  (\w+) (\w+) \($", inside, re.M)}
    return {name: module for name, module in found.items() if module in modules}


def memories(config):
    """Instances of the memories, as `hw.accelerator` names them."""
    return [name if name.startswith(("neuron_", "kept_")) or name.endswith("_parity") else f"{name}_weights"
            for name in config.memories()]


def retained(config, blocks):
    """Of the instances `blocks` of the accelerator, those whose registers are retained."""
    return [name for name in blocks if name not in {*lost(config), *memories(config)}]


def upf(config, blocks, voltage=1.2):
    """UPF text. `blocks`: instances in the accelerator (`instances`); `voltage` in V."""
    inside = [f"{CORE}/{name}" for name in memories(config)]
    kept = [f"{CORE}/{name}" for name in retained(config, blocks)]
    clocks = [f"{name}/{pin}" for name in inside for pin in ("clk", "rst")]

    def listed(names):
        return "{" + " ".join(names) + "}"

    return f"""# {config.name}: supply of everything but the memories cut between frames (IEEE 1801-2013)
upf_version 2.1
set_design_top accelerator_sleep
set_scope .

# supplies: VDD always on, VDD_CORE behind the switch
create_supply_port VDD -direction in
create_supply_port VSS -direction in
create_supply_net VDD
create_supply_net VSS
create_supply_net VDD_CORE
connect_supply_net VDD -ports VDD
connect_supply_net VSS -ports VSS
create_supply_set ALWAYS -function {{power VDD}} -function {{ground VSS}}
create_supply_set SWITCHED -function {{power VDD_CORE}} -function {{ground VSS}}

# domains
create_power_domain PD_TOP -elements {{.}} -supply {{primary ALWAYS}}
create_power_domain PD_CORE -elements {{{CORE}}} -supply {{primary SWITCHED}}
create_power_domain PD_MEMORIES -elements {listed(inside)} -supply {{primary ALWAYS}}

# the switch closes while `switch` is high; its acknowledge drives `powered` from outside this scope
create_power_switch CORE_SWITCH -domain PD_TOP \\
    -input_supply_port {{in VDD}} -output_supply_port {{out VDD_CORE}} \\
    -control_port {{close switch}} -on_state {{closed in {{close}}}} -off_state {{open {{!close}}}}

# isolation: to the outside, and to the memories, which do nothing while their inputs are 0
set_isolation CORE_OUT -domain PD_CORE -applies_to outputs -clamp_value 0 \\
    -isolation_signal isolate -isolation_sense high -isolation_supply ALWAYS -location parent
set_isolation MEMORIES_IN -domain PD_MEMORIES -applies_to inputs -clamp_value 0 \\
    -isolation_signal isolate -isolation_sense high -isolation_supply ALWAYS -location self
set_isolation MEMORIES_CLOCK -domain PD_MEMORIES -elements {listed(clocks)} -no_isolation

# retention: saved as `retain` rises, given back as it falls
set_retention CORE_KEEPS -domain PD_CORE -elements {listed(kept)} \\
    -retention_supply ALWAYS -save_signal {{retain posedge}} -restore_signal {{retain negedge}}

# states
add_power_state ALWAYS -supply -state {{ON -supply_expr {{power == {{FULL_ON {voltage}}}}}}}
add_power_state SWITCHED -supply \\
    -state {{ON -supply_expr {{power == {{FULL_ON {voltage}}}}} -logic_expr {{switch}}}} \\
    -state {{OFF -supply_expr {{power == OFF}} -logic_expr {{!switch}} -simstate CORRUPT}}
add_power_state PD_TOP -domain \\
    -state {{RUN -logic_expr {{ALWAYS == ON && SWITCHED == ON}}}} \\
    -state {{SLEEP -logic_expr {{ALWAYS == ON && SWITCHED == OFF}}}}
"""
