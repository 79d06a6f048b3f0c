"""The smallest block from netlist to GDS, where OpenROAD and a whole PDK are: minutes, so not in the fast tests."""

import json
import os
import shutil

import pytest

from hw.flow.lib import library, pdk_files
from hw.flow.lib.errors import FlowError
from sottovoce import cli

pytestmark = pytest.mark.slow


@pytest.fixture
def pdk():
    if not shutil.which("openroad"):
        pytest.skip("no `openroad` on PATH: the layout is not tried")
    folder = os.environ.get("PDK")
    try:
        files = pdk_files.find(library.load("ihp-sg13g2", folder), folder)
    except FlowError as error:
        pytest.skip(str(error))
    if not (files.gds and files.rcx_rules and files.wire_rc):
        pytest.skip("PDK= names no folder with GDS, extraction rules and wire RC (OpenROAD-flow-scripts' platform)")
    return folder


def test_the_smallest_block_is_routed_without_a_violation(pdk, tmp_path):
    common = ["--config", "tiny", "--pdk", pdk, "--out", str(tmp_path)]
    cli.main(["synth", *common])
    cli.main(["layout", *common, "--block", "input_scan"])
    out = json.loads((tmp_path / "tiny/ihp-sg13g2/default/layout/input_scan/layout.json").read_text())
    assert out["route_violations"] == out["antennas"] == out["unpowered_pins"] == 0
    assert out["supply_connected"] and out["slack_ns"]["setup"] > 0 and out["slack_ns"]["hold"] > 0
    assert not any(out["violations"].values())
    assert out["lvs"] in ("match", None) and out["gds"]
