"""Docstrings of this project as Markdown: paragraphs in columns (ports, files, equations) keep their columns."""

import re

import griffe

COLUMNS = re.compile(r"\S {2,}\S")


def columns_kept(text):
    """The same docstring with each paragraph that is laid out in columns, or indented, as a block of code."""
    out = []
    for paragraph in re.split(r"\n\s*\n", text):
        lines = paragraph.splitlines()
        if any(COLUMNS.search(line) for line in lines) or all(line.startswith(" ") for line in lines):
            cut = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
            paragraph = "\n".join(["```text", *(line[cut:] for line in lines), "```"])
        out.append(paragraph)
    return "\n\n".join(out)


class KeepColumns(griffe.Extension):
    """Rewrites each docstring as it is loaded."""

    def on_object(self, *, obj, **more):
        """Any module, class, function or attribute."""
        if obj.docstring:
            obj.docstring.value = columns_kept(obj.docstring.value)
