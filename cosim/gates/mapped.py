"""A machine's own netlist, and what its gates take under frames of a recording."""

import hashlib

from cosim.gates import netlist_run
from cosim.rtl import builder
from hw import store
from hw.flow import gate_activity, power, synth
from hw.interface import ALL_MODES, WEIGHT_BUFFERS
from sw import golden

WINDOW, SKIP = 8, 2  # frames through the gates, and how many of them only fill the network's state


def netlist(config, library, folder, command, **flow):
    """The synthesis report of a machine; the netlist in its folder serves again where RTL and `flow` are the same."""
    report = store.read_json(folder / "synth.json")
    rtl = hashlib.sha256(builder.verilog("accelerator", config).encode()).hexdigest()
    wanted = {{"nested": "nested_gates", "weak": "weak_buffers"}.get(key, key): value for key, value in flow.items()}
    told = {key: value for key, value in report.get("settings", {}).items() if key in ("prefer", "nested_gates",
                                                                                     "weak_buffers")}
    if (report.get("rtl_sha256"), told) == (rtl, wanted) and (folder / "netlist.v").is_file():
        return report
    return synth.synthesise(config, library, folder, made_by=command, **flow)


def power_of(config, library, report, folder, model, mode, window, tool):
    """The power report of the netlist under a window of frames; its logits must be golden's."""
    place = folder / f"energy-{mode}"
    path = place / "stimulus.bin"
    netlist_run.write_stimulus(path, model, ALL_MODES[mode], window)
    of = hashlib.sha256(path.read_bytes() + report["rtl_sha256"].encode()).hexdigest()
    found = store.read_json(place / "activity.json")
    if found.get("of") != of:
        _, found = gate_activity.record(config, library, place, path, SKIP, report["settings"],
                                        netlist=folder / "netlist.json")
        if not config.counters:  # nothing counts in this netlist
            reads = golden.predict(model, [window], mode).reads[SKIP:].sum(0).tolist()
            found["row_reads"] = dict(zip(WEIGHT_BUFFERS, reads, strict=True))
        store.write_json(place / "activity.json", found | {"of": of})
    return power.analyse(library, report, place, tool, folder), found["logits_compared"], found["logits_differ"]
