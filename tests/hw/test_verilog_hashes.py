"""Every option off, the Verilog of the shipped configurations stays the same to the byte: their hashes are kept.

A change of the circuit that is meant is said in CHANGELOG.md, and the hashes are made anew:

    .venv/bin/python tests/hw/test_verilog_hashes.py
"""

import hashlib
import json
import tempfile
from pathlib import Path

import pytest

from hw import config as configs
from hw import emit, store

KEPT = Path(__file__).with_name("verilog_hashes.json")
FAST = ("tiny", "seed")
SHIPPED = sorted(path.stem for path in configs.SHIPPED.glob("*.yaml"))
TOPS = ("accelerator", *emit.BUSES)


def digest(name, top):
    """SHA-256 of the Verilog of a shipped configuration."""
    with tempfile.TemporaryDirectory() as folder:
        text = emit.emit(top, configs.load(name), Path(folder) / f"{top}.v").read_bytes()
    return hashlib.sha256(text).hexdigest()


def kept():
    return json.loads(KEPT.read_text())


@pytest.mark.parametrize("top", TOPS)
@pytest.mark.parametrize("name", [pytest.param(name, marks=[] if name in FAST else pytest.mark.slow)
                                  for name in SHIPPED])
def test_verilog_is_what_it_was(name, top):
    if top in emit.BUSES:
        pytest.importorskip("systemrdl", reason="pip install 'sottovoce[system]'")
    if kept()["versions"] != store.versions("amaranth", "pyosys"):
        pytest.skip(f"kept hashes are of {kept()['versions']}")
    assert digest(name, top) == kept()["sha256"][name][top], f"{name}: {top}: {__doc__}"


def test_every_shipped_configuration_has_its_hashes():
    assert {name: set(tops) for name, tops in kept()["sha256"].items()} == {name: set(TOPS) for name in SHIPPED}


if __name__ == "__main__":
    found = {name: {top: digest(name, top) for top in TOPS} for name in SHIPPED}
    store.write_json(KEPT, {"versions": store.versions("amaranth", "pyosys"), "sha256": found})
