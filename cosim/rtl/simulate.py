"""Runs one bench on one built top level in a simulator process and brings its results back."""

import json
import logging
import shutil
import xml.etree.ElementTree as xml

from cocotb_tools.runner import get_runner

from cosim.rtl.build import ROOT, config_folder, tools

# Otherwise pytest's import hook compiles every module anew, torch's included: seconds for each simulation.
PLAIN_ASSERTIONS = {"COCOTB_REWRITE_ASSERTION_FILES": ""}


def simulate(test, toplevel, module, config, folder, *, seed, waves=False, root=ROOT):
    """Results of each cocotb test of a bench: test, signals (compared, different), figures, failure or None."""
    logging.getLogger("Verilator").setLevel(logging.ERROR)
    place = config_folder(config, root).resolve() / "runs" / f"{test}-{module}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    settings, record, results = place / "config.json", place / "record.jsonl", place / "results.xml"
    settings.write_text(json.dumps(config.to_dict()))
    record.touch()
    with tools():
        try:
            get_runner("verilator").test(
                test_module=f"cosim.benches.{module}", hdl_toplevel=toplevel, hdl_toplevel_lang="verilog",
                build_dir=folder, test_dir=place, results_xml=str(results), log_file=place / "simulation.log",
                extra_env=PLAIN_ASSERTIONS, seed=seed, waves=waves,
                plusargs=[f"+config={settings}", f"+record={record}", f"+seed={seed}"])
        except (RuntimeError, SystemExit):
            pass  # what failed stands in the results
    if waves:
        for trace in place.glob("dump.*"):
            trace.replace(config_folder(config, root) / f"{test}-{module}{trace.suffix}")
    return _collect(module, record, results, place / "simulation.log")


def _collect(module, record, results, log):
    records = {r["test"]: r for r in map(json.loads, record.read_text().splitlines())}
    found = []
    cases = xml.parse(results).iter("testcase") if results.is_file() else ()
    for case in cases:
        name = case.get("name")
        parts = records.pop(name, {"signals": {}, "figures": {}})
        failure = case.find("failure")
        if failure is None:
            failure = case.find("error")
        text = None
        if failure is not None:
            text = f"{module}.{name}: {_message(failure)}"
        elif not parts["signals"]:
            text = f"{module}.{name}: nothing was compared"
        found.append({"test": name, "signals": parts["signals"], "figures": parts["figures"], "failure": text})
    for name in records:
        found.append({**records[name], "failure": f"{module}.{name}: no result of that name"})
    if not found:
        found.append({"test": module, "signals": {}, "figures": {}, "failure": f"{module}: no results; see {log}"})
    return found


def _message(failure):
    text = failure.get("error_msg") or failure.get("message") or (failure.text or "").strip().splitlines()[-1:]
    return text if isinstance(text, str) else "".join(text)
