"""The map compiles for every shipped configuration, and all that is made from it says the same."""

import json
import re
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

pytest.importorskip("systemrdl", reason="pip install 'sottovoce[system]'")
pytest.importorskip("peakrdl_html", reason="pip install 'sottovoce[system]'")
pytest.importorskip("peakrdl_ipxact", reason="pip install 'sottovoce[system]'")
from hw import config as configs  # noqa: E402
from hw.bus import export  # noqa: E402
from hw.bus.identity import config_hash  # noqa: E402
from hw.bus.register_map import ADDRESS_BITS, compile_map, load_words  # noqa: E402

TINY = configs.load("tiny")


@pytest.mark.parametrize("name", ["tiny", "paper", "phone", "keywords"])
@pytest.mark.parametrize("streams", [True, False])
def test_registers_do_not_overlap_and_fit(name, streams):
    registers = compile_map(configs.load(name), streams)
    places = [r.at(i) for r in registers.registers.values() for i in range(r.count)]
    assert len(set(places)) == len(places) and max(places) < 1 << ADDRESS_BITS
    assert ("streams" in registers) == streams


def test_addresses_that_software_relies_on():
    """A register that moves breaks compiled firmware: raise the version's major number with it."""
    registers = compile_map(TINY, True)
    assert registers["version"].fields["major_number"].reset == 1
    assert {r.name: r.address for r in registers.registers.values()} == {
        "id": 0x00, "version": 0x04, "config_hash": 0x08, "control": 0x0c, "status": 0x10, "errors": 0x14,
        "error_count": 0x18, "irq_status": 0x1c, "irq_enable": 0x20, "mode": 0x24, "load_buffer": 0x28,
        "load_row": 0x2c, "load_slice": 0x30, "features": 0x34, "result": 0x38, "streams": 0x3c, "threshold": 0x80,
        "frames": 0xc0, "cycles": 0x100, "row_reads": 0x200, "load_data": 0x400}


def test_hash_tells_configurations_apart():
    assert len({config_hash(configs.load(n)) for n in ("tiny", "paper", "phone", "keywords")}) == 4
    assert compile_map(TINY, True)["config_hash"].fields["hash"].reset == config_hash(TINY)


def test_every_export_has_every_register_where_the_decode_has_it(tmp_path):
    export.write(TINY, True, tmp_path)
    registers = compile_map(TINY, True).registers
    plain = json.loads((tmp_path / "registers.json").read_text())["registers"]
    assert {name: r["address"] for name, r in plain.items()} == {name: r.address for name, r in registers.items()}

    space = {"ipxact": "http://www.accellera.org/XMLSchema/IPXACT/1685-2014"}
    found = xml.parse(tmp_path / "registers.xml").getroot().findall(".//ipxact:register", space)
    where = {r.find("ipxact:name", space).text: r.find("ipxact:addressOffset", space).text for r in found}
    offsets = {name: int(text.replace("'h", "0x"), 16) for name, text in where.items()}
    assert offsets == {name: r.address for name, r in registers.items()}

    bits = {r.find("ipxact:name", space).text: {
        f.find("ipxact:name", space).text: tuple(int(f.find(f"ipxact:{part}", space).text.replace("'h", "0x"), 0)
                                                 for part in ("bitOffset", "bitWidth"))
        for f in r.findall("ipxact:field", space)} for r in found}
    assert bits == {name: {f.name: (f.lsb, f.width) for f in r.fields.values()} for name, r in registers.items()}

    header = (tmp_path / "registers.h").read_text()
    for r in registers.values():
        for f in r.fields.values():
            one = f"{r.name}{'x' if r.repeats else ''}__{f.name}"
            assert re.search(rf"#define SOTTOVOCE__{one}_bm {f.mask:#x}\b", header, re.I), one
    pages = "\n".join(p.read_text(errors="replace") for p in (tmp_path / "registers").rglob("*")
                      if p.suffix in (".html", ".js", ".json"))
    assert (tmp_path / "registers" / "index.html").is_file()
    missing = [name for name, r in registers.items() for what in (name, *r.fields)
               if not re.search(rf"\b{what}\b", pages, re.I)]
    assert not missing, f"not in the pages: {missing}"


def test_c_struct_has_the_decodes_offsets():
    """The struct's members, added up, give each register's address."""
    body = re.search(r"struct .*?\{(.*?)\} sottovoce_t;", export.c_header(TINY, True), re.S).group(1)
    place, offsets = 0, {}
    for kind, name, size in re.findall(r"uint(8|32)_t (\w+)(?:\[(\w+)\])?;", body):
        offsets[name] = place
        place += int(kind) // 8 * int(size or "1", 0)
    registers = compile_map(TINY, True).registers
    assert {n: o for n, o in offsets.items() if not n.startswith("RESERVED")} == {
        name: r.address for name, r in registers.items()}


def test_wide_load_port_has_more_data_registers():
    from dataclasses import replace
    wide = replace(configs.load("paper"), name="wide", load_bits=512)
    assert load_words(wide) == 16 and compile_map(wide, False)["load_data"].count == 16


def test_without_counters_their_registers_are_gone():
    from dataclasses import replace
    registers = compile_map(replace(TINY, counters=False), False)
    assert not {"cycles", "row_reads", "frames"} & set(registers.registers)


def test_the_page_has_the_map_as_it_is():
    page = (Path(__file__).parents[2] / "docs/system.md").read_text()
    assert export.table(configs.load("keywords"), True) in page, "docs/system.md: replace its table by export.table's"
