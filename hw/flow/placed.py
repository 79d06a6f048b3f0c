"""What a place-and-route run reported, as plain values; and a picture of a placed DEF."""

import re


def _last(pattern, text):
    found = re.findall(pattern, text, re.M)
    return float(found[-1]) if found else None


def parse(text):
    """Values of an OpenROAD flow log (constraints/openroad/flow.tcl)."""
    version = re.search(r"OpenROAD (\S+)", text)
    return {
        "area_um2": _last(r"Design area (\S+) u", text),
        "utilisation_percent": _last(r"(\S+)% utilization", text),
        "setup_slack_ns": _last(r"^worst slack (?:max )?(-?[\d.]+)", text.split("report_worst_slack -min")[0]),
        "skew_ns": _last(r"^\s*(-?[\d.]+)\s+(?:setup )?skew", text),
        "clock_sinks": _last(r"has (\d+) sinks", text),
        "clock_buffers": _last(r"Created (\d+) clock buffers", text),
        "wirelength_um": _last(r"[Tt]otal wirelength: (\d+)", text),
        "overflow": _last(r"^Total\s.*?(\d+)\s*$", text),
        "power_w": _last(r"^Total\s+\S+\s+\S+\s+\S+\s+(\S+)\s+100", text),
        "steps": re.findall(r"^STEP (\w+)", text, re.M),
        "tool_versions": {"openroad": version[1] if version else "unknown"},
    }


def components(text):
    """Die (um), and (name, cell, x, y) in um of placed components of a DEF."""
    units = float(re.search(r"UNITS DISTANCE MICRONS (\d+)", text)[1])
    die = [int(v) / units for v in re.search(r"DIEAREA \( (\S+) (\S+) \) \( (\S+) (\S+) \)", text).groups()]
    found = re.findall(r"^\s*- (\S+) (\S+).*?\+ (?:PLACED|FIXED|FIRM) \( (\d+) (\d+) \)", text, re.M)
    return die, [(name, cell, int(x) / units, int(y) / units) for name, cell, x, y in found]


def picture(source, target, title):
    """Dots of the placed cells, coloured by block."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    die, cells = components(source.read_text())
    blocks = {}
    for name, _, x, y in cells:
        blocks.setdefault(name.split("/")[0] if "/" in name else "top", []).append((x, y))
    figure, axes = plt.subplots(figsize=(8, 8), layout="constrained")
    for name, points in sorted(blocks.items(), key=lambda item: -len(item[1]))[:12]:
        axes.plot(*zip(*points, strict=True), ".", markersize=1.5, label=f"{name} ({len(points)})")
    axes.set(xlim=(die[0], die[2]), ylim=(die[1], die[3]), aspect="equal", title=title, xlabel="um", ylabel="um")
    axes.legend(loc="upper right", fontsize=7, markerscale=6)
    figure.savefig(target, dpi=120)
    plt.close(figure)
