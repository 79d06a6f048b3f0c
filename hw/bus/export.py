"""What software and people need of the register map, made by PeakRDL from the same source as the RTL's decode.

registers.h      addresses, masks and a struct for C
registers.json   the same for Python and anything else
registers.xml    IP-XACT, for tools that assemble systems
registers/       pages to read, index.html first
"""

import json
import shutil
import tempfile
from pathlib import Path

from .. import store
from .identity import config_hash
from .register_map import ADDRESS_BITS, MapError, compile_map

FILES = ("registers.h", "registers.json", "registers.xml", "registers")


def plain(config, streams):
    """The map as plain values: registers with addresses, directions and fields."""
    registers = {r.name: {"address": r.address, "count": r.count, "readable": r.readable, "writable": r.writable,
                          "fields": {f.name: {"lsb": f.lsb, "width": f.width, "reset": f.reset}
                                     for f in r.fields.values()}}
                 for r in compile_map(config, streams).registers.values()}
    return {"config": config.name, "config_hash": config_hash(config), "bytes": 1 << ADDRESS_BITS,
            "registers": registers}


def table(config, streams):
    """The map as rows of a page: address, name, access, fields by their bits, what it says of itself."""
    lines = ["| address | register | access | fields | |", "|---|---|---|---|---|"]
    registers = compile_map(config, streams)
    for node in registers.root.top.children(unroll=False, skip_not_present=True):
        r = registers[node.inst_name]
        place = f"`{r.address:#05x}`" + (f" to `{r.at(r.count - 1):#05x}`" if r.repeats else "")
        access = "read, write" if r.readable and r.writable else "read" if r.readable else "write"
        fields = ", ".join(f"`{f.name}` {_bits(f)}" for f in r.fields.values())
        says = " ".join((node.get_property("desc") or node.get_property("name") + ".").split())
        lines.append(f"| {place} | `{r.name}` | {access} | {fields} | {says} |")
    return "\n".join(lines)


def _bits(field):
    top = field.lsb + field.width - 1
    return str(top) if field.width == 1 else f"{top}:{field.lsb}"


def c_header(config, streams):
    """Text of `registers.h`."""
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / "registers.h"
        (exporter, standards), *_ = _exporters()
        # a name for each register that no configuration changes; nothing that freestanding C99 lacks
        exporter.CHeaderExporter().export(compile_map(config, streams).root, path=str(target), reuse_typedefs=False,
                                          std=standards.CStandard.gnu99)
        return target.read_text()


def write(config, streams, folder):
    """Write all `FILES` into `folder`, each only when complete; returns their paths. Raises `MapError`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    root = compile_map(config, streams).root
    _, html, ipxact = _exporters()
    with tempfile.TemporaryDirectory(dir=folder) as place:
        place = Path(place)
        (place / "registers.h").write_text(c_header(config, streams))
        (place / "registers.json").write_text(json.dumps(plain(config, streams), indent=1) + "\n")
        exporter = ipxact.IPXACTExporter(vendor="sottovoce", library="accelerator", version="1.0")
        exporter.skip_not_present = True  # what this configuration lacks need not be told
        exporter.export(root, str(place / "registers.xml"))
        html.HTMLExporter().export(root, str(place / "registers"), title=f"Sottovoce, configuration {config.name}")
        for name in FILES[:-1]:
            store.write_atomically(folder / name, (place / name).read_bytes())
        shutil.rmtree(folder / "registers", ignore_errors=True)
        (place / "registers").replace(folder / "registers")
    return [folder / name for name in FILES]


def _exporters():
    try:
        import peakrdl_html
        import peakrdl_ipxact
        from peakrdl_cheader import c_standards, exporter
    except ImportError as error:
        raise MapError(f"{error.name} is missing: run `pip install 'sottovoce[system]'`") from None
    return (exporter, c_standards), peakrdl_html, peakrdl_ipxact
