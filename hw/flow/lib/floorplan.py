"""Die, core and macro places of a layout. Lengths in um, origin at the lower left.

Macros of the open PDK have every signal pin on one edge, the lower one. So they stand in rows whose pin edges look at a
band of cells: a row at the lower edge turned over (MX), a row at the upper edge upright (R0), rows between back to back
in pairs. No net has to go round a macro to reach a pin. Macros of one column of a weight buffer feed the same lanes:
they share a column of the floorplan.
"""

import math
import re

from hw.flow.lib.errors import FlowError

HALO = 10.0      # kept free of cells round a macro
GAP = 40.0       # between columns of macros: where nets pass from band to band
BAND = 60.0      # the least height of a band of cells
WIDE_BAND = 120.0    # below it, bands between rows of one column are joined: no net crosses a macro but at its sides
CHANNEL = 30.0   # between rows of a stack that look the same way: wires to the sides, cells that feed constant pins
MARGIN = 17.5    # between core and die: the ring of the power grid
STRAP_PITCH = 75.6   # of a large core, as OpenROAD-flow-scripts' platform has it
STRAP_GRID = 0.04    # its quarter, a strap's offset, lies on the manufacturing grid of 0.005
LEAST_STRAP_PITCH = 12.0  # two straps of 2.2 um and their spacing


def macro_size(lefs, name):
    """Width and height of a macro in the LEF files."""
    for path in lefs:
        found = re.search(rf"^MACRO {re.escape(name)}\s.*?SIZE\s+([\d.]+)\s+BY\s+([\d.]+)", path.read_text(),
                          re.S | re.M)
        if found:
            return float(found[1]), float(found[2])
    raise FlowError(f"{name}: no LEF of it; {path.parent} lacks the macro's abstract")


def site_size(lefs, name):
    """Width and height of a placement site in the LEF files."""
    for path in lefs:
        found = re.search(rf"^\s*SITE\s+{re.escape(name)}\s.*?SIZE\s+([\d.]+)\s+BY\s+([\d.]+)", path.read_text(),
                          re.S | re.M)
        if found:
            return float(found[1]), float(found[2])
    raise FlowError(f"site {name}: not in {', '.join(p.name for p in lefs[:2])}")


def strap_pitch(length):
    """Distance between straps of one net across a core of `length`: as wide as the platform's, and two at least."""
    wanted = max(LEAST_STRAP_PITCH, min(STRAP_PITCH, length / 2.2))
    return round(math.floor(round(wanted / STRAP_GRID, 6)) * STRAP_GRID, 3)


def _up(value, step):
    return math.ceil(round(value / step, 6)) * step


def block(cell_area, utilisation, site, pins=0, pin_pitch=0.96):
    """Plan of a block without macros: a square core, wide enough for its ports to stand on its edges.

    `utilisation` in percent; `pin_pitch` is what a port takes of the edge, with two layers to stand on.
    """
    side = max(math.sqrt(cell_area / utilisation * 100), pins * pin_pitch / 4, 6 * site[1])
    return _plan(side, side, site, [], [])


def _plan(width, height, site, names, places):
    left, low = _up(MARGIN, site[0]), _up(MARGIN, site[1])
    width, height = _up(width, site[0]), _up(height, site[1])
    return {"die_area": f"0 0 {width + 2 * left:.3f} {height + 2 * low:.3f}",
            "core_area": f"{left:.3f} {low:.3f} {left + width:.3f} {low + height:.3f}",
            "macro_names": names,
            "macro_places": [f"{left + x:.3f} {low + y:.3f} {orient}" for x, y, orient in places],
            "strap_pitch_x": strap_pitch(width), "strap_pitch_y": strap_pitch(height)}


def rows_of(macros, sizes, columns):
    """Macros as rows from the lower edge up: each a list of names, in the order of their columns.

    `macros`: instance path -> macro. Tall macros share rows with tall ones, so that no row wastes its height.
    """
    def key(name):
        column = re.search(r"_(\d+)$", name)
        return (-sizes[macros[name]][1], name.rsplit("/", 1)[0], int(column[1]) if column else 0)

    names = sorted(macros, key=key)
    rows = [names[i:i + columns] for i in range(0, len(names), columns)]
    # the tallest rows at the two edges, the small ones between them: bands of cells lie in the middle of the die
    return rows[0::2] + rows[1::2][::-1]


def bands_of(rows, cell_height):
    """How many bands of cells lie between the rows: one for each pair of them, fewer where those would be low.

    Only rows of one macro share an edge of a band, three at most: their nets leave at the two sides.
    """
    pairs = -(-len(rows) // 2)
    if max(map(len, rows)) > 1:
        return pairs
    return max(-(-len(rows) // 6), min(pairs, int(cell_height / WIDE_BAND)))


def edges_of(rows, bands):
    """Which edge of a band each row stands at: edge 2k is the lower one of band k, 2k + 1 its upper one."""
    if len(rows) == 1:
        return [1]
    return [min(i, i * 2 * bands // len(rows)) for i in range(len(rows))]


def stacked(rows, macros, sizes, cell_height):
    """Corners of a stack of rows with bands of cells between: (places by name, height of the stack).

    `cell_height` is the height that all bands share, with the channels between rows of one edge.
    """
    tall = [max(sizes[macros[name]][1] for name in row) for row in rows]
    wide = max(sizes[macros[name]][0] for row in rows for name in row) + GAP
    bands = bands_of(rows, cell_height)
    edges = edges_of(rows, bands)
    channels = sum(a == b for a, b in zip(edges, edges[1:], strict=False))
    band = max(BAND, (cell_height - channels * CHANNEL) / bands)
    y, places, before = 0.0, {}, -1
    for row, height, edge in zip(rows, tall, edges, strict=True):
        over = edge % 2 == 0
        if edge == before:
            y += CHANNEL
        elif edge % 2:  # across a band, which the first row may find below it
            y += band
        elif before >= 0:
            y += 2 * HALO
        for column, name in enumerate(row):
            own = sizes[macros[name]][1]
            # pins on the edge of the band: a macro lower than its row stands at the side where its pins are
            places[name] = (GAP + column * wide, y + (height - own if over else 0.0), "MX" if over else "R0")
        y, before = y + height, edge
    return places, y + (band if before % 2 == 0 else 0.0)


def with_macros(macros, lefs, cell_area, utilisation, site):
    """Plan of a design with macros: the number of columns that brings the core nearest to a square."""
    sizes = {m: macro_size(lefs, m) for m in set(macros.values())}
    wide = max(s[0] for s in sizes.values()) + GAP

    def stack(columns):
        width = columns * wide + GAP
        rows = rows_of(macros, sizes, columns)
        return width, *stacked(rows, macros, sizes, cell_area / utilisation * 100 / width)

    best = min((stack(n) for n in range(1, len(macros) + 1)), key=lambda s: abs(math.log(s[2] / s[0])))
    width, places, height = best
    return _plan(width, height, site, list(places), list(places.values()))
