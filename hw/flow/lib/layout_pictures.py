"""Pictures of a layout: cells by block, wires, where wires crowd, the clock tree, the drop of the supply."""

import csv

import numpy as np

from hw.flow.lib import gds, placed

BIN = 10.0  # um: side of the squares that wires and drops are averaged over
PIXELS = 900
METALS = {"Metal2": (10, 0), "Metal3": (30, 0), "Metal4": (50, 0), "Metal5": (67, 0)}


def _axes(die, title):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    figure, axes = plt.subplots(figsize=(7, 7), layout="constrained")
    axes.set(xlim=(die[0], die[2]), ylim=(die[1], die[3]), aspect="equal", title=title, xlabel="µm", ylabel="µm")
    return plt, figure, axes


def block_of(name):
    """What a cell belongs to: its block, the clock tree, hold and other repairs, filler, diodes; or the top."""
    if name.startswith(("FILLER", "filler")):
        return "filler"
    if name.startswith("clkbuf"):
        return "clock tree"
    if name.startswith(("ANTENNA", "antenna_fix")):
        return "diodes"
    if "/" in name:
        return name.split("/")[0]
    return "repair" if name.startswith(("hold", "input", "output", "wire", "rebuffer", "load_slew", "max_")) else "top"


def cells(text, lefs, target, title):
    """Every cell as the rectangle it is, coloured by block; returns how many there are of each."""
    die, found = placed.components(text)
    sizes = placed.sizes(lefs)
    plt, figure, axes = _axes(die, title)
    from matplotlib.collections import PolyCollection
    blocks = {}
    for name, cell, x, y in found:
        w, h = sizes.get(cell, (1, 1))
        blocks.setdefault(block_of(name) if w < 100 else "SRAM", []).append(
            [(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
    order = sorted(blocks, key=lambda b: (b == "filler", -len(blocks[b])))
    palette = plt.get_cmap("tab20")
    for i, name in enumerate(order):
        colour = {"filler": "#eeeeee", "SRAM": "#c8d2de", "clock tree": "#d62728"}.get(name, palette(i % 20))
        axes.add_collection(PolyCollection(blocks[name], facecolors=[colour], edgecolors="none",
                                           label=f"{name} ({len(blocks[name])})"))
    handles = [plt.Rectangle((0, 0), 1, 1, facecolor=c.get_facecolor()[0]) for c in axes.collections]
    figure.legend(handles, [c.get_label() for c in axes.collections], loc="outside lower center", ncols=4, fontsize=7)
    figure.savefig(target, dpi=100)
    plt.close(figure)
    return {name: len(items) for name, items in blocks.items()}


def crowding(layout, top, target, title, die):
    """Share of each square's tracks that wires of Metal2 to Metal5 take; returns the largest and the mean."""
    db = gds.reader()
    found = db.Layout()
    found.read(str(layout))
    cell, dbu = found.cell(top), found.dbu
    wide, tall = (int(np.ceil((die[i + 2] - die[i]) / BIN)) for i in (0, 1))
    length = np.zeros((tall, wide))
    for number in METALS.values():
        layer = found.find_layer(*number)
        if layer is None:
            continue
        for shape in cell.each_shape(layer):
            box = shape.bbox().to_dtype(dbu)
            x0, x1, y0, y1 = box.left, box.right, box.bottom, box.top
            along_x = x1 - x0 > y1 - y0
            steps = max(1, int((x1 - x0 if along_x else y1 - y0) / BIN * 2))
            t = (np.arange(steps) + 0.5) / steps
            xs, ys = x0 + (x1 - x0) * (t if along_x else 0.5), y0 + (y1 - y0) * (0.5 if along_x else t)
            part = (x1 - x0 if along_x else y1 - y0) / steps
            np.add.at(length, (np.clip((np.zeros(steps) + ys) // BIN, 0, tall - 1).astype(int),
                               np.clip((np.zeros(steps) + xs) // BIN, 0, wide - 1).astype(int)), part)
    room = BIN * BIN * (2 / 0.48 + 2 / 0.42)  # two vertical layers, two horizontal ones
    share = 100 * length / room
    plt, figure, axes = _axes(die, title)
    shown = axes.imshow(share, origin="lower", extent=(die[0], die[2], die[1], die[3]), cmap="magma", vmin=0)
    figure.colorbar(shown, ax=axes, label="% of tracks used", shrink=0.7)
    figure.savefig(target, dpi=80)
    plt.close(figure)
    return {"tracks_used_percent_max": round(float(share.max()), 1), "tracks_used_percent_mean": round(
        float(share.mean()), 1)}


def clock_tree(text, target, title):
    """Each clock net as a star from its driver to its sinks, a colour a level; returns nets and sinks."""
    die, found = placed.components(text)
    at = {name: (x, y) for name, _, x, y in found}
    nets = placed.clock_nets(text)
    driven = {}
    for net, pins in nets.items():
        for inst, pin in pins:
            if pin in ("X", "Y", "GCLK", "Z", "ZN"):
                driven[net] = inst
    level = {}

    def depth(net):
        if net not in level:
            level[net] = 0
            above = [n for n, pins in nets.items() if n != net and driven.get(net) in
                     [i for i, p in pins if i != driven.get(n)]]
            level[net] = 1 + depth(above[0]) if above else 0
        return level[net]

    plt, figure, axes = _axes(die, title)
    palette = plt.get_cmap("viridis", 1 + max((depth(n) for n in nets), default=0))
    for net, pins in sorted(nets.items(), key=lambda item: depth(item[0])):
        points = [at[i] for i, _ in pins if i in at]
        root = at.get(driven.get(net)) or (points[0] if points else None)
        for x, y in points:
            axes.plot([root[0], x], [root[1], y], "-", color=palette(level[net]), linewidth=0.5)
        if root:
            axes.plot(*root, "o", color=palette(level[net]), markersize=3)
    figure.savefig(target, dpi=80)
    plt.close(figure)
    return {"clock_nets": len(nets), "clock_levels": 1 + max(level.values(), default=-1)}


def wires(layout, colours, target):
    """The mask as KLayout draws it."""
    import klayout.lay as lay
    view = lay.LayoutView()
    view.load_layout(str(layout), True)
    if colours:
        view.load_layer_props(str(colours))
    view.max_hier()
    view.zoom_fit()
    view.save_image(str(target), PIXELS, PIXELS)


def drop(report, target, title, die):
    """Voltage over the die from a report of the power grid's analysis (x, y in um and V a line)."""
    points = []
    for row in csv.reader(report.read_text().splitlines()):
        try:
            _, x, y, volts = row
            points.append([float(x), float(y), float(volts)])
        except ValueError:  # the heading, and what the tool adds
            continue
    if not points:
        return False
    points = np.array(points)
    plt, figure, axes = _axes(die, title)
    shown = axes.scatter(points[:, 0], points[:, 1], c=1e3 * (points[:, 2].max() - points[:, 2]), s=4, cmap="magma")
    figure.colorbar(shown, ax=axes, label="mV below the best node", shrink=0.7)
    figure.savefig(target, dpi=80)
    plt.close(figure)
    return True


def draw(values, files, folder, title):
    """All pictures of a finished folder; returns their names and what was counted while drawing."""
    text, top = (folder / "07_finish.def").read_text(), values["top"]
    die, _ = placed.components(text)
    out = {"cells": "cells.png", "cells_by_block": cells(text, values["lefs"], folder / "cells.png", title)}
    out |= {"clock": "clock.png"} | clock_tree(text, folder / "clock.png", f"{title}: clock tree")
    layout = folder / f"{top}.gds"
    if layout.is_file():
        out |= {"wires": "wires.png", "crowding": "crowding.png"}
        wires(layout, files.layer_colours, folder / "wires.png")
        out |= crowding(layout, top, folder / "crowding.png", f"{title}: wires", die)
    report = folder / "ir_VDD.rpt"
    if report.is_file() and drop(report, folder / "ir.png", f"{title}: supply", die):
        out["ir"] = "ir.png"
    return out
