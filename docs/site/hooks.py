"""What MkDocs does beside rendering docs/: pages that lie at the root, and pages made from code and figures.

README.md is the first page; others that lie outside docs/ are pages too. Commands, API, results and register map are
made while the site is built, so nothing on them is typed twice.
"""

import posixpath
import re
import tempfile
from pathlib import Path

import api_page
import commands_page
import results_page
from conform import conform
from mkdocs.structure.files import File

from hw import config as configs
from hw.bus import export

ROOT = Path(__file__).parents[2]
AT_ROOT = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md",
           "examples/README.md": "examples.md"}
LIES_AT = {page: name for name, page in AT_ROOT.items()}
LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s]+)(\))")
SHOWN = "keywords"  # the configuration whose register map is shown


def register_page():
    """The register map in short, and where PeakRDL's pages are."""
    c = configs.load(SHOWN)
    return (f"# Register map\n\nOf configuration `{SHOWN}` on AXI, made from `hw/bus/registers.rdl` with this site. "
            "Field by field, with reset values and a calculator for each register: "
            "[PeakRDL's pages](registers/index.html). What the registers do together, and what is refused: "
            "[in a system](system.md).\n\n"
            f"`sottovoce verilog --config {SHOWN} --bus axi` writes the same map as C header, JSON and IP-XACT.\n\n"
            f"{export.table(c, True)}\n")


MADE = {"commands.md": commands_page.text, "api.md": api_page.text, "results.md": lambda: results_page.text(ROOT),
        "register-map.md": register_page}  # pages that no file holds


def on_files(files, config):
    """Adds the root's pages, the made ones, and the register map's own site."""
    for name, page in AT_ROOT.items():
        files.append(File.generated(config, page, content=(ROOT / name).read_text() + _scripts(name)))
    for page, text in MADE.items():
        files.append(File.generated(config, page, content=text()))
    with tempfile.TemporaryDirectory() as folder:
        export.write(configs.load(SHOWN), True, Path(folder))
        for path in sorted((Path(folder) / "registers").rglob("*")):
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
                files.append(File.generated(config, path.relative_to(folder).as_posix(), content=path.read_bytes()))
    return files


def _scripts(name):
    """The scripts beside a page that lists them, each under its own heading."""
    folder = (ROOT / name).parent
    scripts = [] if folder == ROOT else sorted(folder.glob("*.py"))
    return "".join(f"\n## {path.name}\n\n```python\n{path.read_text()}```\n" for path in scripts)


def on_page_markdown(markdown, page, config, files):
    """Lists and fences as GitHub reads them; links to and from pages that lie at the root."""
    here = page.file.src_uri

    def linked(match):
        target, hash_, fragment = match[2].partition("#")
        if re.match(r"[a-z]+:|#", match[2]) or not target:
            return match[0]
        source = LIES_AT.get(here, f"docs/{here}")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if path in AT_ROOT:
            path = AT_ROOT[path]
        elif path.startswith("docs/"):
            path = path.removeprefix("docs/")
        elif posixpath.dirname(path) and posixpath.dirname(path) == posixpath.dirname(source):  # a script of the page
            return f"{match[1]}#{posixpath.basename(path).replace('.', '')}{match[3]}"
        else:
            return match[0]
        return match[1] + posixpath.relpath(path, posixpath.dirname(here) or ".") + hash_ + fragment + match[3]

    return markdown if here in MADE else LINK.sub(linked, conform(markdown))
