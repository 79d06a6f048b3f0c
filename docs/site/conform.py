"""Pages as GitHub reads them, put into the form that Python-Markdown reads the same way."""

import re

ITEM = re.compile(r"^( *)([-*+]|\d+\.)( +)(?=\S)")
FENCE = re.compile(r"^ *(```+|~~~+)")
STEP = 4  # columns that Python-Markdown wants for what belongs to a list item


def indent_of(line):
    """Leading blanks of a line."""
    return len(line) - len(line.lstrip(" "))


def conform(text):
    """The same page: lists begin after a blank line, and what belongs to an item is indented by four columns a level.

    A fence that is marked as a tested example (`python example`) becomes plain `python`.
    """
    out, items, fence = [], [], ""  # items: (column of the item's text, column it gets)
    for line in text.splitlines():
        opened = FENCE.match(line)
        if fence:
            out.append(_moved(line, items))
            if opened and line.strip() == fence:
                fence = ""
            continue
        if not line.strip():
            out.append("")
            continue
        inside = bool(items)
        while items and indent_of(line) < items[-1][0] and (ITEM.match(line) or not out[-1].strip()):
            items.pop()
        item = ITEM.match(line)
        if item and not (items and indent_of(line) >= items[-1][0] + STEP):
            if out and out[-1].strip() and not inside:
                out.append("")
            depth = STEP * len(items)
            mark = item[2].ljust(STEP - 1) + " "
            out.append(" " * depth + mark + line[item.end():])
            items.append((item.end(), depth + STEP))
            continue
        out.append(_moved(line, items))
        if opened:
            fence = opened[1]
            out[-1] = re.sub(r"(```+|~~~+)python example$", r"\1python", out[-1])
    return "\n".join(out) + "\n"


def _moved(line, items):
    """A line of an item, or of none, at the column that its item gets."""
    if not items or not line.strip():
        return line
    column, wanted = items[-1]
    return " " * (wanted + max(0, indent_of(line) - column)) + line.lstrip(" ")
