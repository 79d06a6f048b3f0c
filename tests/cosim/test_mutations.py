"""A bench that cannot fail proves nothing: break one constant in each block and see the named bench name the signal."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(1800)  # builds a simulator: long on a busy machine

MUTATIONS = [  # file, text, its mutation, test that must fail, signal it must name; the first in the fast suite
    ("lif", "v >= threshold", "v > threshold", "lif", "spike"),
    ("pe_array", "(self.negate & self.gate)", "self.negate", "pe_array", "accumulator"),
    ("combine", "(1 << shift) >> 1", "0", "input_layer", "input current"),
    ("zero_skip", "scan.doubles[k].eq(s0 & s1)", "scan.doubles[k].eq(s0)", "zero_skip", "slot"),
    ("zero_skip", "whole.eq(s0 | s1)", "whole.eq(s0)", "zero_skip", "scan length"),
    ("input_scan", "triple.eq(x + (x << 1))", "triple.eq(x + (x << 1) + 1)", "input_layer", "digit sum"),
    ("input_buffer", "eq(self.x.payload)", "eq(self.x.payload + 1)", "recurrent_layer", "current"),
    ("weight_buffer", "write.addr.eq(self.address)", "write.addr.eq(self.address & ~1)", "weight_buffer", "read_data"),
    ("logit_drain", "low + high", "low", "fc_layer", "logit"),
    ("counters", "counter.eq(counter + 1)", "counter.eq(counter + 2)", "accelerator", "cycles"),
    ("sequencer", "visit.row + self.here.base", "visit.row + self.here.base + 1", "recurrent_layer", "current"),
    ("sequencer", "Gate.MERGED", "Gate.STEP0", "merged_spike", "logit"),
    ("sequencer", "Mux(self.union & ~self.sequential, Mask.UNION, Mask.ALL)", "Mask.ALL", "parallel_time_steps",
     "cycles"),
    ("accelerator", "Mux(mode.two_steps, combine.current.as_value(), 0)", "0", "recurrent_layer", "current"),
    ("accelerator", "buffers[f\"fc{k}\"].read_data", "buffers[\"fc0\"].read_data", "backpressure", "logit"),
]
CORNER = """
version: 2
name: corner
features: 10
lanes: 16
layers:
  - {neurons: 40, threshold: neuron, leak_shift: neuron, bias: true, delays: {forward: 3}}
  - {neurons: 37, recurrent: false, reset: subtract, persist: false}
outputs: 80
logits_per_beat: 8
lif_lanes: 4
"""
OF_CORNER = [  # as above, on a configuration of what `tiny` has not: groups, tables, delays, state in memory
    ("lif", 'leaked + added + field["bias"]', "leaked + added", "lif", "potential"),
    ("lif", 'Mux(field["leak"] == 0, 0, u >> field["leak"])', 'u >> field["leak"]', "lif", "potential"),
    ("lif", "stale = restart | (~self.step", "stale = (~self.step", "lif", "potential"),
    ("program", "input_base=g * config.input_rows", "input_base=0", "input_layer", "low group sum"),
    ("program", 'add(f"L{k}_WAIT", Kind.WAIT, "WAIT", group)', "pass", "accelerator", "cycles"),
    ("spike_select", "[delays[matrix][i]]", "[0]", "accelerator", "current"),
    ("accelerator", "fields.eq(table.read_data)", "fields.eq(table.read_data >> 1)", "accelerator", "current"),
]


@pytest.mark.parametrize(("config", "block", "text", "mutation", "test", "signal"), [
    *(pytest.param("tiny", *mutation, id=f"{mutation[0]}-{index}", marks=[pytest.mark.slow] if index else [])
      for index, mutation in enumerate(MUTATIONS)),
    *(pytest.param("corner.yaml", *mutation, id=f"corner-{mutation[0]}-{index}", marks=pytest.mark.slow)
      for index, mutation in enumerate(OF_CORNER))])
def test_bench_names_the_signal(tmp_path, config, block, text, mutation, test, signal):
    (tmp_path / "corner.yaml").write_text(CORNER)
    run = run_mutant(tmp_path, ROOT / "hw" / f"{block}.py", text, mutation, test, config)
    failures = [line for line in run.stdout.splitlines() if "FAILED" in line]
    assert run.returncode == 1, run.stdout + run.stderr
    assert any(f"first {signal}" in line for line in failures), run.stdout + run.stderr


def run_mutant(folder, path, text, mutation, test, config="tiny"):
    """One bench on a copy of the project with one text changed."""
    ignore = shutil.ignore_patterns("__pycache__", "weights", "constraints", "tested.txt")
    for room in ("hw", "sw", "cosim", "sottovoce"):
        shutil.copytree(ROOT / room, folder / room, ignore=ignore)
    if (ROOT / "build/rtl/runtime").is_dir():  # the same for every design, and slow to compile
        shutil.copytree(ROOT / "build/rtl/runtime", folder / "build/rtl/runtime")
    source = path.read_text()
    assert text in source, f"{path.name} no longer contains {text!r}: choose another constant to break"
    (folder / path.relative_to(ROOT)).write_text(source.replace(text, mutation))
    return subprocess.run([sys.executable, "-m", "sottovoce", "cosim", "--test", test, "--config", config], cwd=folder,
                          capture_output=True, text=True)
