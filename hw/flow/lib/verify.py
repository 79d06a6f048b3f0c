"""GDS of a routed design, its design rules, and layout against schematic, by KLayout and the decks of the PDK.

The wheel makes the GDS; rules and LVS need KLayout's executable (`apt install klayout`). What is not there is recorded
as None: never as passed.
"""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from importlib import metadata

from hw.flow.lib import gds
from hw.flow.lib.errors import FlowError
from hw.flow.lib.tools import watched

# why a rule of a deck is left standing, by deck and rule; everything else counts
WAIVED = {}
MATCH = "Congratulations! Netlists match"


def versions():
    """Versions of KLayout's wheel and executable, where they are there."""
    out = {"klayout": metadata.version("klayout")}
    if shutil.which("klayout"):
        done = subprocess.run(["klayout", "-v"], capture_output=True, text=True)
        found = re.search(r"[\d.]+\d", done.stdout + done.stderr)
        out["klayout executable"] = found[0] if found else "unknown"
    return out


def counts(report):
    """Violations by rule of a KLayout report database (XML): rule -> count; rules without one are left out."""
    out = {}
    for item in ElementTree.parse(report).getroot().iter("item"):
        rule = item.findtext("category", "").strip("'")
        out[rule] = out.get(rule, 0) + int(item.findtext("multiplicity", "1"))
    return dict(sorted(out.items()))


def drc(layout, deck, name, folder, top):
    """Violations by rule of one deck on a GDS."""
    report = folder / f"drc_{name}.lyrdb"
    report.unlink(missing_ok=True)
    watched(["klayout", "-b", "-r", str(deck), "-rd", f"in_gds={layout}", "-rd", f"cell={top}",
             "-rd", f"report_file={report}"], f"{top} DRC {name}", folder / f"drc_{name}.log")
    if not report.is_file():
        raise FlowError(f"klayout made no report of {deck.name} (log: {folder / f'drc_{name}.log'})")
    found = counts(report)
    return {"deck": deck.name, "violations": sum(n for rule, n in found.items() if rule not in WAIVED),
            "by_rule": found, "waived": {r: WAIVED[r] for r in found if r in WAIVED}}


def schematic(netlist, masters, target):
    """The netlist of the layout and those of its cells as one file, as LVS wants it."""
    target.write_text("\n".join(p.read_text() for p in masters) + "\n" + netlist.read_text())
    return target


def lvs(layout, netlist, deck, folder, top):
    """Whether the devices and nets of a GDS are those of a netlist: "match", or "differ"."""
    report, log = folder / "lvs.lvsdb", folder / "lvs.log"
    report.unlink(missing_ok=True)
    text = watched(["klayout", "-b", "-r", str(deck), "-rd", f"input={layout}", "-rd", f"schematic={netlist}",
                    "-rd", f"topcell={top}", "-rd", f"report={report}", "-rd", f"target_netlist={folder / 'lvs.cir'}",
                    "-rd", "run_mode=deep", "-rd", "combine_devices=false", "-rd", "top_lvl_pins=true",
                    "-rd", "purge=false", "-rd", "purge_nets=false", "-rd", "verbose=false"], f"{top} LVS", log)
    if MATCH in text:
        return "match"
    if "ERROR" in text and not report.is_file():
        raise FlowError(f"klayout could not compare (log: {log})")
    return "differ"


def verify(values, files, folder, decks=("minimal",), lvs_wanted=True):
    """GDS, DRC by deck and LVS of a routed folder, as far as tools and files are there."""
    top = values["top"]
    if not files.gds or not files.gds_map:
        return {"gds": None, "drc": None, "lvs": None}
    target = folder / f"{top}.gds"
    empty = gds.write(folder / "07_finish.def", values["lefs"], files.gds, files.gds_map, target, top)
    if empty:
        raise FlowError(f"no GDS draws {', '.join(empty[:5])}: {files.gds[0].parent} lacks cells of the design")
    out = {"gds": target.name, "drc": None, "lvs": None}
    if not shutil.which("klayout"):
        return out
    unknown = [name for name in decks if name not in files.drc]
    if unknown:
        raise FlowError(f"--drc {unknown[0]}: the PDK has {', '.join(files.drc) or 'no deck'}")
    out["drc"] = {name: drc(target.resolve(), files.drc[name], name, folder.resolve(), top) for name in decks}
    if lvs_wanted and files.lvs and (folder / "routed.cdl").is_file():
        netlist = schematic(folder / "routed.cdl", values["cdl_masters"], folder / "schematic.cir")
        out["lvs"] = lvs(target.resolve(), netlist.resolve(), files.lvs, folder.resolve(), top)
    return out
