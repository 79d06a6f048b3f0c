import json
import os
import re
import subprocess
import sys

import pytest
from hw_bench import SMALL, small

from hw.emit import BLOCKS, EmitError, emit

C = small()


def modules(text):
    """Module name -> its ports."""
    found = re.findall(r"^module (\S+?)\(([^;]*)\);", text, re.M)
    return {name: {port.strip().lstrip("\\").strip() for port in ports.split(",")} for name, ports in found}


def test_accelerator_has_stable_names(tmp_path):
    found = modules(emit("accelerator", C, tmp_path / "accelerator.v").read_text())
    assert set(found) == {
        "accelerator", "combine", "counters", "input_buffer", "input_scan", "lif", "logit_drain", "pe_array",
        "load_port", "sequencer", "spike_select", "zero_skip", "weight_buffer_8x32", "weight_buffer_12x32"}
    assert found["accelerator"] == {
        "clk", "rst", "idle", "starved", "load_errors", "frames",
        *(f"{s}__{p}" for s in ("x", "logits", "load") for p in ("payload", "valid", "ready")),
        *(f"cycles__{i}" for i in range(10)), *(f"row_reads__{i}" for i in range(5))}
    assert found["lif"] == {
        "clk", "rst", "enable", "layer", "word", "chunk", "step", "two_steps", "clear", "commit",
        *(f"spikes__{i}" for i in range(4)),
        *(f"{name}__{k}" for name in ("accumulators", "thresholds", "potentials") for k in range(2))}
    assert not [port for ports in found.values() for port in ports if "$" in port]


@pytest.mark.parametrize("block", [*BLOCKS, "weight_buffer"])
def test_block_alone_is_a_top_of_its_name(block, tmp_path):
    assert block in modules(emit(block, C, tmp_path / f"{block}.v").read_text())


def test_two_runs_are_byte_identical(tmp_path):
    texts = []
    for seed in ("1", "2"):  # set order must not leak into the text
        target = tmp_path / f"{seed}.v"
        code = ("import json, sys; from hw import config; from hw.emit import emit; "
                "emit('accelerator', config.from_dict(json.loads(sys.argv[2])), sys.argv[1])")
        subprocess.run([sys.executable, "-c", code, target, json.dumps(SMALL)], check=True,
                       env={**os.environ, "PYTHONHASHSEED": seed})
        texts.append(target.read_bytes())
    assert texts[0] == texts[1]


def test_yosys_error_is_an_emit_error_and_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "pe_array.v"
    target.write_text("old")
    monkeypatch.setattr("hw.emit.rtlil_text", lambda name, config: "not rtlil\n")
    with pytest.raises(EmitError, match="pe_array.v"):
        emit("pe_array", C, target)
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["pe_array.v"]
