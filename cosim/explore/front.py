"""Which points nothing beats, as a table and a picture."""

from sw import pictures

AXES = {  # the measures of a point, all the better the lower: record's key -> name with unit
    "error": "error %", "energy_per_frame_nj": "energy nJ a frame", "area_um2": "area um2", "latency_ms": "latency ms"}


def axes_of(records):
    """The measures that all records have."""
    return [key for key in AXES if all(r.get(key) is not None for r in records)]


def front(records, axes):
    """Indices of the records that no other equals or betters in all `axes` and betters in one."""
    values = [tuple(r[a] for a in axes) for r in records]
    return [i for i, v in enumerate(values) if not any(
        w != v and all(x <= y for x, y in zip(w, v, strict=True)) for w in values)]


def knobs_of(record, among=()):
    """What was turned, in a few words; `among` other records only what differs from any of them."""
    turned = {k: v for k, v in record["knobs"].items()
              if not among or len({str(r["knobs"].get(k)) for r in among}) > 1}
    return " ".join(f"{k.removeprefix('layers.')}={v}" for k, v in turned.items()) or "as it is"


def table(records, best):
    """Markdown of all records, cheapest first; `*` is on the front."""
    def number(value, digits):
        return "-" if value is None else f"{value:,.{digits}f}"

    lines = ["| | network | knobs | mode | error % | cycles | kHz | row reads | area mm2 | leakage uW | nJ a frame | "
             "ms | how |", "|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|"]
    def cost(i):
        return records[i].get("energy_per_frame_nj", 0), records[i]["cycles_per_frame"]

    for i in sorted(range(len(records)), key=cost):
        r = records[i]
        um2 = r.get("area_um2")
        lines.append(
            f"| {'*' if i in best else ''} | {r['model']} | {knobs_of(r)} | {r['mode']} | {number(r['error'], 1)} | "
            f"{r['cycles_per_frame']:.1f} | {r['clock_khz']:.0f} | {r['row_reads']:.1f} | "
            f"{number(um2 and um2 * 1e-6, 3)} | "
            f"{number(r.get('leakage_uw'), 1)} | {number(r.get('energy_per_frame_nj'), 1)} | {r['latency_ms']:.1f} | "
            f"{r.get('physical', 'cycles only')} |")
    return "\n".join(lines) + "\n"


def picture(records, best, path):
    """Energy against error and against area, one mark a point; the front joined and labelled."""
    plots = pictures.pyplot()
    ways = [a for a in ("error", "area_um2", "latency_ms") if a in axes_of(records) and
            len({r[a] for r in records}) > 1] or ["area_um2"]
    figure, places = plots.subplots(1, len(ways), figsize=(6 * len(ways), 4.5), squeeze=False)
    names = sorted({(r["model"], r["mode"]) for r in records})
    colours = {name: plots.get_cmap("tab10")(i % 10) for i, name in enumerate(names)}
    for axis, place in zip(ways, places[0], strict=True):
        scale = 1e-6 if axis == "area_um2" else 1
        for name in names:
            for how, mark in (("measured", "o"), ("estimated", "^")):
                rows = [r for r in records if (r["model"], r["mode"]) == name and r.get("physical") == how]
                if rows:
                    place.scatter([r[axis] * scale for r in rows], [r["energy_per_frame_nj"] for r in rows],
                                  color=colours[name], marker=mark, s=28, alpha=0.85,
                                  label=f"{name[0]} {name[1]}" + (", estimated" if how == "estimated" else ""))
        edge = front([records[i] for i in best], [axis, "energy_per_frame_nj"])
        line = sorted((records[best[i]][axis] * scale, records[best[i]]["energy_per_frame_nj"], best[i]) for i in edge)
        place.plot([x for x, _, _ in line], [y for _, y, _ in line], color="0.5", lw=1, zorder=0)
        for x, y, i in line[:6]:
            place.annotate(knobs_of(records[i], records), (x, y), fontsize=7, xytext=(4, 5), textcoords="offset points")
        place.set_xlabel("area, mm2" if axis == "area_um2" else AXES[axis])
        place.set_ylabel("energy, nJ a frame")
        place.margins(0.15)
        place.set_ylim(0, 1.1 * max(r["energy_per_frame_nj"] for r in records))
        place.grid(alpha=0.3)
    places[0][0].legend(fontsize=7, loc="lower right")
    pictures.save(figure, path, 130)
