"""Published beside measured, in one table; and the accelerator in a system."""

from statistics import mean

from cosim.report import machine, recognition
from cosim.report.figures import Absent, plain

NAME = "arXiv 2503.21337"


def _pairs(results):
    """(figure, unit, published, measured or None, file, recipe part, command) of every claim."""
    accelerator, physical = results.of("accelerator.json"), results.of("physical.json")
    published = physical.get("published", {})
    for mode, cycles in published.get("cycles", {}).items():
        yield (f"cycles a frame, {machine.MODES.get(mode, mode)}", "", cycles, accelerator.get(f"cycles_{mode}"),
               "accelerator.json", "activity", machine.ACTIVITY)
    if "merging_saves" in accelerator:
        yield ("cycles that merged spikes save", "%", 26.9, 100 * accelerator["merging_saves"], "accelerator.json",
               "activity", machine.ACTIVITY)
    row = next((r for r in physical.get("rows", []) if (r["config"], r["library"], r["variant"]) == (
        "paper", "ihp-sg13g2", "default")), {})
    yield ("power at a frame in 10 ms (28 nm there, 130 nm here)", "µW", published.get("power_uw"),
           row.get("power_uw_at_10ms"), "physical.json", "", machine.PHYSICAL)
    area = published.get("derived", {}).get("area_mm2", {}).get("value")
    yield ("area (28 nm there, 130 nm here)", "mm²", area, row["total_um2"] / 1e6 if row else None, "physical.json", "",
           machine.PHYSICAL)
    phones = [r["per"] for r in results.of("training.json").get("rows", [])
              if (r["config"], r["stage"]) == ("paper", "final")]
    yield ("phone error (all of TIMIT there, twelve speakers here)", "%", recognition.PHONE_ERROR,
           mean(phones) if phones else None, "training.json", "", recognition.PHONES)
    groups = {}
    for r in results.of("keywords.json").get("rows", []):
        groups.setdefault(r["model"], []).append(r["accuracy"])
    for r in results.of("keywords.json").get("published", []):
        if r["model"] in groups:
            yield (f"keyword accuracy, {r['model']}", "%", r["accuracy"], mean(groups[r["model"]]), "keywords.json", "",
                   recognition.KEYWORDS)


def pairs(results):
    """The table; rows that have nothing measured say so."""
    rows, made = [], {}
    for what, unit, published, measured, file, part, command in _pairs(results):
        ratio = f"{measured / published:.2f}" if published and measured else "–"
        rows.append((f"{what}{', ' + unit if unit else ''}", plain(published),
                     plain(round(measured, 2) if measured is not None else None), ratio))
        if measured is not None:
            made[file, part] = results.made(file, part, command)
    if not made:
        raise Absent(f"nothing is measured yet: `{machine.ACTIVITY}` begins.")
    return {"head": ("figure", "published", "measured", "ratio"),
            "rows": tuple(rows), "made": tuple(made.values()),
            "note": f"Published: {NAME}, keywords by the models' own papers. Ratio: measured ÷ published, across "
                    "different processes, data and amounts of training: read what each figure is not."}


def fpga(results):
    """Utilisation and clock on an FPGA."""
    rows = results.need("system.json", "fpga", "sottovoce fpga --publish")
    found = tuple((row["config"], row["part"], *(f"{100 * row['share'][cell]:.0f} %" if cell in row.get("share", {})
                                                 else "–" for cell in ("LUT4", "DP16KD", "TRELLIS_FF")),
                   plain(row.get("fmax_mhz"))) for row in rows)
    made = tuple(results.made("system.json", f"fpga, {row['config']}, {row['top']}", "sottovoce fpga") for row in rows)
    return {"head": ("configuration", "part", "LUTs", "block RAMs", "flip-flops", "clock, MHz"), "rows": found,
            "made": made}


def walk(results):
    """A new user's steps, each with its time."""
    steps = results.need("system.json", "walkthrough", "the recorded walk")
    rows = tuple((row["step"], plain(row["seconds"])) for row in steps)
    return {"head": ("step", "seconds"), "rows": rows, "made": (results.made("system.json", "walkthrough",
                                                                               "see docs/system.md"),)}


def browser(results):
    """Checks of the pages in a headless browser, one a row."""
    checks = results.need("system.json", "browser_checks", "sottovoce report --check --publish")
    rows = tuple((f"{row['page']}: {row['check']}", plain(row["value"]), plain(row["limit"]), plain(row["passed"]))
                 for row in checks)
    made = tuple(results.made("system.json", f"browser_checks, {page}", checks[0]["command"])
                 for page in dict.fromkeys(row["page"] for row in checks))
    return {"head": ("page and check", "measured", "at most", "passed"), "rows": rows, "made": made}
