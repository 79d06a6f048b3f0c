"""What a place-and-route run reported, as plain values; and a picture of a placed DEF."""

import re


def _numbers(pattern, text):
    return [float(n) for n in re.findall(pattern, text, re.M)]


def _last(pattern, text):
    found = _numbers(pattern, text)
    return found[-1] if found else None


def parse(text, version="unknown"):
    """Values of an OpenROAD flow log (constraints/openroad/flow.tcl); None for what it does not say. um, ns, W."""
    reports = text.split("STEP reports")[-1]
    slack = _numbers(r"^worst slack (?:max |min )?(-?[\d.]+)", reports)
    skew = re.search(r"^Latency\s+CRPR\s+Skew\n.*\n.*\n.*\n\s*\S+\s+\S+\s+(-?[\d.]+)", reports, re.M)
    congestion = re.search(r"^Total\s+(\d+)\s+(\d+)\s+([\d.]+)%.*/\s*(\d+)\s*$", text, re.M)
    return {
        "area_um2": _last(r"Design area (\S+) u", text),
        "utilisation_percent": _last(r"(\S+)% utilization", text),
        "setup_slack_ns": slack[0] if slack else None,
        "hold_slack_ns": slack[1] if len(slack) > 1 else None,
        "tns_ns": _last(r"^tns (-?[\d.]+)", reports),
        "skew_ns": float(skew[1]) if skew else None,
        "clock_nets": len(_numbers(r"Clock net \"\S+\"\s+has (\d+) sinks", text)) or None,
        "clock_sinks": sum(_numbers(r"Clock net \"\S+\"\s+has (\d+) sinks", text)) or None,
        "clock_buffers": sum(_numbers(r"Created (\d+) clock buffers", text)) or None,
        "timing_repair_buffers": sum(_numbers(r"Inserted (\d+) (?:hold )?buffers", text)),
        "wirelength_um": _last(r"[Tt]otal wirelength: (\d+)", text),
        "routing_usage_percent": float(congestion[3]) if congestion else None,
        "routing_overflow": int(congestion[4]) if congestion else None,
        "power_w": _last(r"^Total\s+\S+\s+\S+\s+\S+\s+(\S+)\s+100", reports),
        "steps": re.findall(r"^STEP (\w+)", text, re.M),
        "tool_versions": {"openroad": version},
    }


def components(text):
    """Die (um), and (name, cell, x, y) in um of placed components of a DEF."""
    units = float(re.search(r"UNITS DISTANCE MICRONS (\d+)", text)[1])
    die = [int(v) / units for v in re.search(r"DIEAREA \( (\S+) (\S+) \) \( (\S+) (\S+) \)", text).groups()]
    found = re.findall(r"^\s*- (\S+) (\S+).*?\+ (?:PLACED|FIXED|FIRM) \( (\d+) (\d+) \)", text, re.M)
    return die, [(name, cell, int(x) / units, int(y) / units) for name, cell, x, y in found]


def picture(source, target, title, macros=None):
    """Dots of the placed cells, coloured by block; `macros`: cell -> (width, height) in um, drawn as boxes."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    die, cells = components(source.read_text())
    blocks, macros = {}, macros or {}
    figure, axes = plt.subplots(figsize=(7, 7), layout="constrained")
    for name, cell, x, y in cells:
        if cell in macros:
            axes.add_patch(plt.Rectangle((x, y), *macros[cell], facecolor="#d8dee6", edgecolor="#556677"))
            axes.text(x + macros[cell][0] / 2, y + macros[cell][1] / 2, name.split("/")[0], ha="center", va="center",
                      fontsize=7)
        else:
            blocks.setdefault(name.split("/")[0] if "/" in name else "top", []).append((x, y))
    for name, points in sorted(blocks.items(), key=lambda item: -len(item[1]))[:12]:
        axes.plot(*zip(*points, strict=True), ".", markersize=1.2, label=f"{name} ({len(points)})")
    axes.set(xlim=(die[0], die[2]), ylim=(die[1], die[3]), aspect="equal", title=title, xlabel="um", ylabel="um")
    figure.legend(loc="outside lower center", ncols=4, fontsize=7, markerscale=6)
    figure.savefig(target, dpi=90)
    plt.close(figure)
