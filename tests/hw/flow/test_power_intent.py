"""The power-intent file: readable as Tcl, names only what the Verilog has, and forgets no register."""

import re
import tkinter
from dataclasses import replace

import pytest

from hw import config as configs
from hw import emit
from hw.accelerator import lost
from hw.flow import power_intent

COMMANDS = ("upf_version", "set_design_top", "set_scope", "create_supply_port", "create_supply_net",
            "connect_supply_net", "create_supply_set", "create_power_domain", "create_power_switch", "set_isolation",
            "set_retention", "add_power_state")


@pytest.fixture(scope="module", params=["tiny", "phone-delays", "paper-lean"])
def design(request, tmp_path_factory):
    """(configuration, Verilog, UPF)."""
    config = replace(configs.load(request.param), sleep=True)
    path = emit.emit(emit.SLEEP, config, tmp_path_factory.mktemp("verilog") / "top.v")
    text = path.read_text()
    return config, text, power_intent.upf(config, power_intent.instances(text))


def commands(upf):
    """[(command, its words)], as Tcl reads them."""
    tcl = tkinter.Tcl()
    tcl.eval("set found {}")
    for name in COMMANDS:
        tcl.eval(f"proc {name} {{args}} {{ global found; lappend found [list {name} $args] }}")
    tcl.eval(upf)
    return [(str(c[0]), [str(w) for w in tcl.splitlist(c[1])])
            for c in (tcl.splitlist(item) for item in tcl.splitlist(tcl.eval("set found")))]


def option(words, name):
    return words[words.index(name) + 1]


def test_it_is_tcl_and_uses_what_it_defines(design):
    _, _, upf = design
    found = commands(upf)
    domains = {words[0] for name, words in found if name == "create_power_domain"}
    supplies = {words[0] for name, words in found if name == "create_supply_set"}
    assert domains == {"PD_TOP", "PD_CORE", "PD_MEMORIES"} and supplies == {"ALWAYS", "SWITCHED"}
    for name, words in found:
        if "-domain" in words and name != "add_power_state":
            assert option(words, "-domain") in domains
        for key in ("-isolation_supply", "-retention_supply"):
            if key in words:
                assert option(words, key) in supplies


def test_every_signal_and_instance_it_names_is_there(design):
    config, verilog, upf = design
    ports = re.search(rf"^module {emit.SLEEP}\(([^)]*)\)", verilog, re.M)[1].split(", ")
    inside = power_intent.instances(verilog)
    for _, words in commands(upf):
        for key in ("-isolation_signal", "-save_signal", "-restore_signal"):
            if key in words:
                assert option(words, key).split()[0] in ports
        if "-elements" in words:
            for element in option(words, "-elements").split():
                core, *rest = element.split("/")
                assert core in (".", power_intent.CORE) and (not rest or rest[0] in inside), element
    assert re.search(rf"^  accelerator {power_intent.CORE} \($", verilog, re.M)


def test_every_register_is_lost_on_purpose_or_retained_or_in_a_memory(design):
    config, verilog, upf = design
    inside = power_intent.instances(verilog)
    kept = {e.split("/")[1] for name, words in commands(upf) if name == "set_retention"
            for e in option(words, "-elements").split()}
    on = {e.split("/")[1] for name, words in commands(upf)
          if name == "create_power_domain" and words[0] == "PD_MEMORIES" for e in option(words, "-elements").split()}
    gone = set(lost(config))
    assert set(inside) == kept | on | (set(inside) & gone)
    assert not kept & on and not kept & gone and not on & gone
    assert {"lif", "load_port", "counters"} <= kept and "fc0_weights" in on
    body = re.search(r"^module accelerator\(.*?^endmodule", verilog, re.M | re.S)[0]
    own = re.findall(r"^ +(\S+) <= ", body, re.M)
    assert set(own) == {"hold"}, "a register of the top itself: nobody retains it; `hold` is right after a cycle"


def test_what_is_lost_is_reset_on_waking(design):
    config, verilog, _ = design
    body = re.search(r"^module accelerator\(.*?^endmodule", verilog, re.M | re.S)[0]
    resets = set(re.findall(r"assign (\S+)\s+= rst \| restart;", body))
    for name, module in power_intent.instances(verilog).items():
        pins = re.search(rf"^  {module} {name} \((.*?)^  \);", body, re.M | re.S)[1]
        reset = re.search(r"\.rst\(([^)]*)\)", pins)
        if reset and name in lost(config):
            assert reset[1].strip() in resets, name
        elif reset:
            assert reset[1].strip() == "rst", name
