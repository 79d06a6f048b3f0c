"""The energy table drawn: a bar a row, in parts, networks one below the other."""

from sw.pictures import pyplot, save

PARTS = {"leakage_nj": ("leakage", "#8899aa"), "sram_nj": ("memory accesses", "#2f7f86"),
         "logic_nj": ("logic", "#c2571a")}


def draw(rows, path):
    """Rows of docs/results/energy.json -> a picture (.png)."""
    plots = pyplot()
    names = [f"{r['config']}, {r['row']}  " for r in rows]
    figure, axes = plots.subplots(figsize=(9, 0.42 * len(rows) + 1.3))
    start = [0.0] * len(rows)
    for part, (label, colour) in PARTS.items():
        values = [r["parts_nj"][part] for r in rows]
        axes.barh(names, values, left=start, color=colour, label=label)
        start = [a + b for a, b in zip(start, values, strict=True)]
    for place, (row, total) in enumerate(zip(rows, start, strict=True)):
        axes.text(total, place, f" {total:.0f} nJ, {row['cycles_per_frame']:.0f} cycles", va="center", fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.2)
    axes.set_xlabel("nJ a frame of 10 ms, IHP SG13G2 130 nm, typical, before layout; the same logits in every row of a "
                    "network", fontsize=8)
    axes.legend(fontsize=8, loc="lower right")
    save(figure, path, 120)
