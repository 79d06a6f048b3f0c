"""A treemap as HTML: rectangles in per cent of their frame, so that names stay readable on any screen."""

import html

import squarify

WIDTH, HEIGHT = 160, 90  # of the frame; only the ratio matters
NAMED = (13, 7)  # a rectangle shows its name from this width and height on


def treemap(parts, title):
    """Markup of `parts`, (name, value, class), largest first. Values of nothing are left out."""
    parts = [part for part in parts if part[1] > 0]
    total = sum(value for _, value, _ in parts)
    sizes = squarify.normalize_sizes([value for _, value, _ in parts], WIDTH, HEIGHT)
    boxes = []
    for (name, value, kind), at in zip(parts, squarify.squarify(sizes, 0, 0, WIDTH, HEIGHT), strict=True):
        said = f"{name}: {100 * value / total:.1f} %"
        shown = at["dx"] >= NAMED[0] and at["dy"] >= NAMED[1]
        label = f"<b>{html.escape(name)}</b><br>{100 * value / total:.1f} %" if shown else ""
        boxes.append(f'<div class="box c-{kind}" style="left:{100 * at["x"] / WIDTH:.3f}%;'
                     f'top:{100 * at["y"] / HEIGHT:.3f}%;width:{100 * at["dx"] / WIDTH:.3f}%;'
                     f'height:{100 * at["dy"] / HEIGHT:.3f}%" title="{html.escape(said)}">{label}</div>')
    return f'<div class="treemap" role="img" aria-label="{html.escape(title)}">{"".join(boxes)}</div>'
