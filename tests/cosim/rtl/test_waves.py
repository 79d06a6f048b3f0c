"""The signals that a viewer opens with: each is in the design, and in the trace."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cosim import run
from cosim.errors import ToolError
from cosim.rtl import builder, toolchain, waves
from hw import config as configs
from hw.interface import phases

TRACE = re.compile(r"^[\w.]+(?:\[\d+:\d+\])?$", re.M)


@pytest.fixture(scope="module")
def verilog():
    return builder.verilog("accelerator", configs.load("tiny"), quiet=True)


@pytest.mark.parametrize("module", waves.MATTERS)
def test_every_signal_that_matters_is_in_the_design(module, verilog):
    found = [signals for name, (signals, _, _) in waves.modules(verilog).items() if name.startswith(module)]
    assert found
    for signals in found:
        assert set(waves.MATTERS[module]) <= set(signals)


def test_groups_follow_the_data_through_the_machine(verilog):
    found = dict(waves.groups("accelerator", verilog))
    assert list(found)[0] == "accelerator" and found["accelerator"][:2] == ["clk", "rst"]
    blocks = [path.removeprefix("accelerator.") for path in found][1:]
    assert blocks[:5] == ["sequencer", "input_buffer", "input_scan", "spike_select", "zero_skip"]
    assert {"pe_set0", "pe_set1", "fc0_weights", "lif", "logit_drain"} <= set(blocks)
    assert found["accelerator.sequencer"][0] == "phase[3:0]"
    assert found["accelerator.pe_set1"][0] == "gate" and "accumulators[175:0]" in found["accelerator.pe_set1"]


def test_the_file_names_trace_signals_and_phases(tmp_path, verilog):
    trace, names = tmp_path / "a b.fst", phases(configs.load("tiny"))
    waves.save(trace, tmp_path / "a b.gtkw", "accelerator", verilog, names)
    text = (tmp_path / "a b.gtkw").read_text()
    assert f'[dumpfile] "{trace}"' in text
    wanted = [f"{path}.{signal}" for path, signals in waves.groups("accelerator", verilog) for signal in signals]
    assert TRACE.findall(text) == wanted
    assert f"^1 {tmp_path / 'a b.phases'}\naccelerator.sequencer.phase" in text
    assert (tmp_path / "a b.phases").read_text().splitlines()[8] == "8 FC"


def in_dump(trace):
    """Every signal of an FST trace, with its range, by GTKWave's own reader."""
    text = subprocess.run(["fst2vcd", trace], capture_output=True, text=True, check=True).stdout
    scopes, found = [], set()
    for line in text[:text.index("$enddefinitions")].splitlines():
        words = line.split()
        if words[:1] == ["$scope"]:
            scopes.append(words[2])
        elif words[:1] == ["$upscope"]:
            scopes.pop()
        elif words[:1] == ["$var"]:
            found.add(".".join(scopes) + "." + "".join(words[4:-1]))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("test", ["zero_skip", "recurrent_layer"])
def test_every_signal_named_is_in_the_trace(test, tmp_path):
    if not shutil.which("fst2vcd"):
        pytest.skip("fst2vcd is missing: `apt install gtkwave`")
    try:
        toolchain.need_fst_headers()
    except ToolError as error:
        pytest.skip(str(error))
    summary = run.run_test(test, configs.load("tiny"), waves=True, out=tmp_path)
    assert summary["failures"] == [] and len(summary["waves"]) == 1
    text = Path(summary["waves"][0]).read_text()
    named = TRACE.findall(text)
    dumped = in_dump(re.search(r'\[dumpfile\] "(.*)"', text)[1])
    assert len(named) > 15 and set(named) <= dumped
