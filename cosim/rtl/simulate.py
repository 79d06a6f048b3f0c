"""Runs one cocotb bench on one top level in a simulator process and brings its results back."""

import json
import logging
import shutil
import xml.etree.ElementTree as xml
from pathlib import Path

from cocotb_tools import config as cocotb_paths
from cocotb_tools.runner import get_runner

from cosim.rtl import builder, probes, toolchain
from cosim.rtl import waves as viewed
from hw.interface import phases

# Otherwise pytest's import hook compiles every module anew, torch's included: seconds for each simulation.
PLAIN_ASSERTIONS = {"COCOTB_REWRITE_ASSERTION_FILES": ""}


def build(toplevel, config, waves=False, quiet=False):
    """Compile a top level for cocotb; returns the folder with the simulator, a program of the top level's name."""
    if waves:
        toolchain.need_fst_headers()
    text = builder.verilog(toplevel, config, quiet)
    libraries = cocotb_paths.libs_dir
    return builder.build(builder.Design(
        label=f"{config.name}-cocotb-{toplevel}{'-waves' * waves}", top=toplevel, prefix="Vtop",
        sources={"probes.vlt": probes.bench_control_file(toplevel, text), f"{toplevel}.v": text},
        mains={toplevel: cocotb_paths.share_dir / "lib" / "verilator" / "verilator.cpp"},
        verilator=("--vpi", *(["--trace-fst"] if waves else [])),
        defines=("-DCOCOTB_SIM=1", f"-DVM_TRACE={int(waves)}", f"-DVM_TRACE_FST={int(waves)}"),
        link=("-Xlinker", "-rpath", "-Xlinker", str(libraries), f"-L{libraries}", "-lcocotbvpi_verilator",
              *(["-llz4", "-lz"] if waves else []))), quiet)


def simulate(test, toplevel, module, config, folder, *, seed, out, waves=False, plusargs=()):
    """Results of each cocotb test of a bench: test, signals (compared, different), figures, failure or None.

    `folder` is what `build` returned; `out` takes the runs' logs, and traces with `waves`. `plusargs` are
    further ones, that a bench asks for.
    """
    logging.getLogger("Verilator").setLevel(logging.ERROR)
    place = Path(out).resolve() / "runs" / f"{test}-{module}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    settings, record, results = place / "config.json", place / "record.jsonl", place / "results.xml"
    settings.write_text(json.dumps(config.to_dict()))
    record.touch()
    try:
        get_runner("verilator").test(
            test_module=f"cosim.benches.{module}", hdl_toplevel=toplevel, hdl_toplevel_lang="verilog",
            build_dir=folder, test_dir=place, results_xml=str(results), log_file=place / "simulation.log",
            extra_env=PLAIN_ASSERTIONS, seed=seed, waves=waves,
            plusargs=[f"+config={settings}", f"+record={record}", f"+seed={seed}", *plusargs])
    except (RuntimeError, SystemExit):
        pass  # what failed stands in the results
    if waves:
        for dump in place.glob("dump.*"):
            trace = dump.replace(Path(out) / f"{test}-{module}{dump.suffix}")
            viewed.save(trace, trace.with_suffix(".gtkw"), toplevel, (folder / f"{toplevel}.v").read_text(),
                        phases(config))
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
