"""The page of results, made from docs/results/*.json: every figure with the command that makes it.

A file that TITLES does not name yet is shown too, under its own name.
"""

import json

TITLES = {  # file -> (heading, what it is, the page that explains it)
    "accelerator": ("Cycles, and circuit against model", "the emitted Verilog of `paper`", "start-here.md"),
    "networks": ("Many shapes, and networks of other libraries", "RTL against the golden model", "networks.md"),
    "system": ("On a bus, and with a RISC-V", "random software; words that a processor prints", "system.md"),
    "physical": ("Silicon", "area, timing and energy by library and corner", "physical.md"),
    "energy": ("Energy", "ways to the same logits, each on its own netlist", "energy.md"),
    "training": ("Phones", "recognisers trained and scored", "training.md"),
    "keywords": ("Keywords", "models and seeds, published figures beside them", "keywords.md"),
    "keywords-cosim": ("Keywords on the circuit", "clip by clip, RTL against integers", "keywords.md"),
    "lpa": ("Attention replaced by pulses", "latency, memory and error", "lpa.md"),
}
# columns that only matter to a program, and such as repeat the row's name
LEFT_OUT = {"commit", "rtl_sha256", "sha256", "seconds", "peak_mb", "import_seconds", "split", "name", "source", "note",
            "macro_f1", "variant", "energy_method", "pins_annotated", "not", "decoder", "made_by", "latency_on"}
SAID = {"command", "data", "note", "torch", "made_by", "config", "commit"}  # stand in the list of commands
LONG, WIDE = 12, 11  # rows after which a table is folded, most columns shown


def text(root):
    """The whole page; `root`: the checkout."""
    files = {path.stem: json.loads(path.read_text()) for path in sorted((root / "docs/results").glob("*.json"))}
    order = [*(name for name in TITLES if name in files), *(name for name in files if name not in TITLES)]
    out = ["# Results", "", "Every figure that the pages quote, made into tables from `docs/results/*.json` when "
           "this site is built. Under each heading is the command that makes the figures again. What they mean, "
           "and what they are not, is on the page of their subject.", ""]
    for name in order:
        heading, what, page = TITLES.get(name, (_words(name), "", ""))
        more = f"; explained in [its page]({page})" if page else ""
        out += [f"## {heading}", "", f"{what[:1].upper()}{what[1:]}{more}. File: [{name}.json](results/{name}.json)."
                if what else f"File: [{name}.json](results/{name}.json).", ""]
        out += _file(files[name])
    return "\n".join(out) + "\n"


def _file(data):
    """Sections of one file: recipes, plain values, tables of rows."""
    out, plain = _recipes(data), {k: v for k, v in data.items() if _scalar(v)}
    plain = {k: v for k, v in plain.items() if k not in SAID and not str(v).startswith("sottovoce ")}
    if plain:
        out += _folded("plain values", ["figure", "value"], [[_words(k), v] for k, v in plain.items()])
    inner = {k: v for k, v in data.items() if isinstance(v, dict) and v and all(map(_scalar, v.values()))
             and k not in ("recipes", "recipe", "size", "commands", "added")}
    by_shape = {}
    for key, value in inner.items():
        by_shape.setdefault(tuple(value), []).append((key, value))
    for shape, entries in by_shape.items():
        title = _words(entries[0][0]) if len(entries) == 1 else f"{_words(entries[0][0]).split()[0]}"
        if len(entries) == 1:
            out += _folded(title, ["figure", "value"], [[_words(k), v] for k, v in entries[0][1].items()])
        else:
            out += _folded(title, ["", *map(_words, shape)], [[_words(k), *v.values()] for k, v in entries])
    for key, rows in data.items():
        if isinstance(rows, list) and rows and isinstance(rows[0], dict):
            columns = [c for c in dict.fromkeys(c for row in rows for c in row) if c not in LEFT_OUT
                       and any(_scalar(row.get(c)) and row.get(c) not in (None, "") for row in rows)]
            columns = [c for c in columns if len({str(row.get(c)) for row in rows}) > 1 or len(rows) < 4][:WIDE]
            cells = [[row.get(c) if _scalar(row.get(c)) else None for c in columns] for row in rows]
            out += _folded(_words(key), list(map(_words, columns)), cells)
    return out


def _recipes(data):
    """A line for each command that made something of a file."""
    found = [("", data)] if "command" in data else []
    found += [(name, made) for name, made in data.get("recipes", {}).items() if isinstance(made, dict)]
    found += [(k, v) for k, v in data.items() if isinstance(v, dict) and k != "recipes" and "command" in v]
    found += [(k, {"command": v}) for k, v in data.get("commands", {}).items()]
    lines = []
    for name, made in found:
        beside = [f"configuration `{made['config']}`"] if made.get("config") else []
        data_of = made.get("data")
        if data_of and isinstance(data_of, (str, list)):
            beside.append(f"data: {data_of if isinstance(data_of, str) else ', '.join(map(str, data_of))}")
        beside += [made["note"]] if made.get("note") else []
        lines.append(f"- {f'{_words(name)}: ' if name else ''}`{made['command']}`{'; ' if beside else ''}"
                     f"{'; '.join(beside)}")
    for row in data.get("rows", []):
        if isinstance(row.get("recipes"), dict):
            title = " ".join(str(row[k]) for k in ("config", "library", "corner", "variant") if k in row)
            lines.append(f"- {title}: " + ", ".join(f"`{line}`" for line in dict.fromkeys(row["recipes"].values())))
    return [*lines, ""] if lines else []


def _folded(title, head, rows):
    """A table under a line with its name; a long one is folded."""
    table = ["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|",
             *("| " + " | ".join(_cell(v) for v in row) + " |" for row in rows)]
    if len(rows) > LONG:
        return [f'??? note "{title}: {len(rows)} rows"', "", *(f"    {line}" for line in table), ""]
    return [f"**{title}**", "", *table, ""]


def _cell(value):
    """A value as a page has it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:.4g}" if abs(value) < 1000 else f"{value:,.1f}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def _words(key):
    return str(key).replace("_", " ")


def _scalar(value):
    return value is None or isinstance(value, (str, int, float, bool))
