"""Figures of the machine: cycles, area, energy, and what holds circuit and model together."""

from cosim.report.figures import Absent, Bar, Made, plain
from cosim.report.treemap import treemap

ACTIVITY, PHYSICAL = "sottovoce activity --publish", "sottovoce physical --publish"
CONFORMANCE = "sottovoce conformance --data FOLDER --publish"
MODES = {"t2_sequential": "steps in turn, the baseline", "t2_unmerged": "parallel steps", "t2_merged": "as published",
         "t2_union": "union skip, ours", "t1": "one time step"}
PARTS = {"input": "input", "recurrent": "L0", "fc": "fc", "control": "control", "arrival and drain": "wait"}
KINDS = {"registers_clock_nj": "registers and clock", "combinational_nj": "gates, inside", "switching_nj": "wires",
         "sram_nj": "SRAM, reads and idle", "leakage_nj": "leakage of everything"}


def cycles(results):
    """Cycles a frame of each mode at the published activity, by part."""
    published = results.of("physical.json").get("published", {}).get("cycles", {})
    values = results.of("accelerator.json")
    modes = [mode for mode in MODES if f"cycles_{mode}" in values]
    if not modes:
        raise Absent(f"accelerator.json has no cycles: `{ACTIVITY}` makes them.")
    most = max(values[f"cycles_{mode}"] for mode in modes)
    rows = []
    for mode in modes:
        total, parts = values[f"cycles_{mode}"], values[f"phases_{mode}"]
        shown = tuple((name, value, PARTS.get(name, "control")) for name, value in parts.items())
        rows.append((f"{mode}: {MODES[mode]}", Bar(total, plain(total), most, published.get(mode), shown),
                     plain(published.get(mode)), *(plain(parts[name]) for name in parts)))
    names = tuple(values[f"phases_{modes[0]}"])
    return {"head": ("mode", "cycles a frame", "published", *names), "rows": tuple(rows),
            "legend": tuple((name, PARTS.get(name, "control")) for name in names),
            "made": (results.made("accelerator.json", "activity", ACTIVITY),)}


def speech_cycles(results):
    """Cycles a frame of real recordings."""
    values = results.of("accelerator.json")
    modes = [mode for mode in MODES if f"cycles_{mode}_real" in values]
    if not modes:
        raise Absent(f"accelerator.json has no cycles of recordings: `{CONFORMANCE}` makes them.")
    most = max(values[f"cycles_{mode}_real_p95"] for mode in modes)
    rows = [(f"{mode}: {MODES[mode]}", Bar(values[f"cycles_{mode}_real"], plain(values[f"cycles_{mode}_real"]), most),
             plain(values[f"cycles_{mode}_real_p95"])) for mode in modes]
    return {"head": ("mode", "cycles a frame, mean", "95 of 100 frames take no more"), "rows": tuple(rows),
            "made": (results.made("accelerator.json", "conformance", CONFORMANCE),)}


def silicon(results):
    """Rows of the physical flow with areas, shipped configurations first."""
    rows = results.need("physical.json", "rows", PHYSICAL)
    return [r for r in rows if r["variant"] == "default" and r.get("area_um2")]


def name_of(row):
    return f"{row['config']}, {row['library']}"


def _made(row, part):
    return Made(row.get("recipes", {}).get(part, PHYSICAL), "physical.json", row["config"],
                note=row.get("not", ""), data=f"{row['library']}, {row.get('corner', '')}")


def area(row):
    """A treemap of one configuration in one library, and its table."""
    parts = sorted(row["area_um2"].items(), key=lambda item: -item[1])
    total = sum(value for _, value in parts)
    cells = [(name, value, "sram" if "SRAM" in name else "logic") for name, value in parts]
    rows = tuple((name, Bar(value, f"{100 * value / total:.1f} %", parts[0][1]), plain(round(value)))
                 for name, value in parts)
    return {"head": ("part", "share of the area", "µm²"), "rows": rows, "made": (_made(row, "area"),),
            "picture": treemap(cells, f"Area of {name_of(row)} by part, {total / 1e6:.2f} mm² in all"),
            "legend": (("weight memory (SRAM macros)", "sram"), ("logic", "logic")),
            "note": f"{total / 1e6:.2f} mm² in all; each rectangle has the area of its part."}


def energy(row):
    """Energy a frame by part, leakage over the frame's 10 ms included."""
    parts = sorted(row["energy_per_frame_nj"].items(), key=lambda item: -item[1])
    total = sum(value for _, value in parts)
    rows = tuple((name.replace("_", " "), Bar(value, f"{100 * value / total:.1f} %", parts[0][1]), plain(value))
                 for name, value in parts)
    kinds = "; ".join(f"{KINDS[kind]} {row['energy_by_kind_nj'][kind]:.0f} nJ" for kind in KINDS
                      if kind in row["energy_by_kind_nj"])
    return {"head": ("part", "share of the energy", "nJ a frame"), "rows": rows, "made": (_made(row, "energy"),),
            "note": f"{plain(row['power_uw_at_10ms'])} µW at a frame in 10 ms; by kind: {kinds}. "
                    f"Energy method: {row['energy_method']}."}


def proofs(results):
    """Everything that compares two descriptions of the same machine: how much was compared, how much differs."""
    rows, made = [], []
    values = results.of("accelerator.json")
    if "values_compared" in values:
        rows.append(("RTL and golden model, whole recordings, five modes", "values", values["values_compared"],
                     values["differences"]))
        made.append(results.made("accelerator.json", "conformance", CONFORMANCE))
    networks = results.of("networks.json").get("rows", [])
    if networks:
        rows.append((f"RTL and golden model, {len(networks)} configurations and networks", "values",
                     sum(r["values_compared"] for r in networks), sum(r["differences"] for r in networks)))
        made.append(results.made("networks.json", "networks", "sottovoce networks --publish"))
    keywords = results.of("keywords-cosim.json").get("rows", [])
    if keywords:
        rows.append(("keyword models on the RTL", "values", sum(r["compared"] for r in keywords),
                     sum(r["differences"] for r in keywords)))
        made.append(results.made("keywords-cosim.json", command="sottovoce keyword-conformance --publish"))
    system = results.of("system.json")
    for bus in system.get("buses", []):
        rows.append((f"random software on {bus['bus'].upper()}, {bus['hangs']} hangs", "accesses",
                     bus["bus_transactions"], bus["differences"] + bus["wrong_logits"]))
    for soc in system.get("soc", []):
        rows.append((f"a RISC-V's words and the Python model's, front-end in {soc['front_end']}", "words",
                     soc["clips"], soc["clips"] - soc["soc_words_equal"]))
    made += [results.made("system.json", part) for part in system.get("recipes", {})
             if part.startswith(("buses", "soc"))]
    if not rows:
        raise Absent(f"no comparison is published: `{CONFORMANCE}` makes one.")
    return {"head": ("what is compared", "in", "compared", "differ"), "made": tuple(made),
            "rows": tuple((what, unit, plain(compared), plain(differ)) for what, unit, compared, differ in rows)}
