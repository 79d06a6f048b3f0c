"""The page: sections of figures from results, put into one HTML file that needs nothing but itself."""

import json
from pathlib import Path

import jinja2
import markupsafe

from cosim.report import beside, figures, machine, recognition, timeline, trust
from cosim.report.figures import Bar, Section
from hw import store

TEMPLATES = Path(__file__).parent / "templates"


def sections(results):
    """Every section with its figures; what is not there says so."""
    def one(ident, title, reader):
        return figures.read(ident, title, reader, results)

    return [
        Section("beside", "Published beside measured", "What the papers claim, and what this project measures.",
                (one("pairs", "The claims, one by one", beside.pairs),)),
        Section("accuracy", "Accuracy", "How well phones and keywords are recognised, on speakers that were never "
                "trained on. The red mark is the published figure.",
                (one("phones", "Phone error", recognition.phones), one("keywords", "Keywords", recognition.keywords))),
        Section("sparsity", "Sparsity", "What is zero is neither read nor added: this is where the cycles go.",
                (one("zeros", "Zeros in digits, spikes and gates", recognition.sparsity),)),
        Section("cycles", "Cycles by layer and phase", "From a frame's first feature taken to its last logit out. At "
                "100 kHz a frame of 10 ms has 1000 cycles.",
                (one("activity", "At the published activity", machine.cycles),
                 one("recordings", "On real recordings", machine.speech_cycles),
                 one("phases", "One real frame, phase by phase", timeline.by_phase))),
        Section("frame", "One frame, cycle by cycle", "What every unit of the circuit does in every cycle, recorded "
                "from the Verilated design as it runs a frame of real speech. A row is read in one cycle and added in "
                "the next.",
                _timelines(results)),
        Section("area", "Area", "Cells and memories after mapping to a process's library, before layout.",
                _silicon(results, "area", "Area", machine.area, lambda row: True)),
        Section("energy", "Energy by part", "Of one frame of real speech, leakage over its 10 ms included.",
                _silicon(results, "energy", "Energy", machine.energy, lambda row: row.get("energy_per_frame_nj"))),
        Section("trust", "Proofs, coverage, mutants", "Why to believe that the circuit computes what the model says.",
                (one("checks", "What each check would have caught", trust.checks),
                 one("compared", "Compared, value by value", machine.proofs),
                 one("coverage", "Coverage", trust.coverage),
                 one("proofs", "Formal proofs", trust.proofs), one("counts", "Mutants, faults and soak", trust.counts),
                 *([one("others", "More of verification", trust.others)] if trust.more(results) else []))),
        Section("system", "In a system", "On FPGAs, and for people.",
                (one("fpga", "FPGA", beside.fpga), one("walk", "A new user's walk", beside.walk),
                 one("browser", "These pages in a browser", beside.browser))),
    ]


def _silicon(results, ident, title, draw, wanted):
    rows = []
    shown = figures.read(ident, title, lambda r: rows.extend(filter(wanted, machine.silicon(r))) or {}, results)
    if shown.missing or not rows:
        return (shown if shown.missing else figures.Figure(ident, title, missing="no configuration has it yet: "
                                                           f"`{machine.PHYSICAL}` collects the flow's reports."),)
    rows.sort(key=lambda row: (row["config"] != "paper", row["library"], row["config"]))
    return tuple(figures.read(f"{ident}-{row['config']}-{row['library']}", f"{title} of {machine.name_of(row)}",
                              lambda _, row=row: draw(row) | {"choice": machine.name_of(row)}, results) for row in rows)


def _timelines(results):
    try:
        frames = timeline.recorded(results)
    except figures.Absent as error:
        return (figures.Figure("timeline", "Timeline", missing=str(error)),)
    return tuple(figures.read(f"timeline-{i}", f"In mode {frame['mode']}: {frame['cycles']} cycles",
                              lambda r, i=i, frame=frame: _timeline(r, i, frame), results)
                 for i, frame in enumerate(frames))


def _timeline(results, index, frame):
    ident = f"frame{index}"
    svg, labels, legend = timeline.picture(frame, ident)
    picture = _environment().get_template("timeline.html.j2").render(
        svg=svg, labels=labels, ident=ident, index=index, cycles=frame["cycles"], heading=timeline.heading(frame))
    return {"picture": picture, "legend": legend, "head": timeline.HEAD, "rows": timeline.table(frame),
            "note": timeline.heading(frame) + ".", "choice": frame["mode"],
            "made": (results.made(timeline.FILE, "timelines", timeline.COMMAND),)}


def _environment():
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True,
                                     undefined=jinja2.StrictUndefined)
    environment.filters["plain"] = figures.plain
    environment.filters["coded"] = _coded
    environment.filters["marked"] = lambda rows: any(isinstance(cell, Bar) and cell.published
                                                     for row in rows for cell in row)
    return environment


def _coded(text):
    """A line whose words between backticks are commands."""
    parts = [markupsafe.escape(part) for part in text.split("`")]
    return markupsafe.Markup("").join(markupsafe.Markup("<code>{}</code>").format(part) if i % 2 else part
                                      for i, part in enumerate(parts))


def render(results, command, only=None):
    """The page as text. `command` is what made it; `only`: one section, by its name in the page."""
    found = [section for section in sections(results) if only in (None, section.ident)]
    frames = [] if only else results.of(timeline.FILE).get("timelines", [])
    data = json.dumps([timeline.script_data(frame) for frame in frames]).replace("<", "\\u003c")
    safe = markupsafe.Markup
    return _environment().get_template("page.html.j2").render(
        sections=found, command=command, commit=store.commit(),
        files=sorted(results.read), timelines=safe(data), style=safe((TEMPLATES / "style.css").read_text()),
        script=safe((TEMPLATES / "page.js").read_text()))
