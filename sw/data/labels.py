"""Phone label files (`.phn`: `start end symbol` a line, in samples at 16 kHz) and what makes one unusable."""

from dataclasses import dataclass
from pathlib import Path

from sw.data.audio import RATE
from sw.data.phones import PhoneError, to_40

BEYOND_S, SHORT_S = 0.1, 0.5  # a label file may end this much after, or before, its audio


class LabelError(ValueError):
    """A label file that cannot be used; the message names the file and quotes the line."""


@dataclass(frozen=True)
class Segment:
    """One phone: samples `start` (included) to `end` (excluded) at 16 kHz, and a trained phone's name."""

    start: int
    end: int
    phone: str


def read(path, samples=None):
    """Read a label file as a list of `Segment`; with `samples`, check that it ends where its audio does.

    A glottal stop is dropped and its time halved between its neighbours. Raises `LabelError`.
    """
    path = Path(path)
    if not path.is_file():
        raise LabelError(f"{path}: no such label file")
    rows = []
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        if not line.strip():
            continue
        parts = line.split()
        try:
            start, end, symbol = int(parts[0]), int(parts[1]), parts[2]
            phone = to_40(symbol)
        except PhoneError as error:
            raise LabelError(f"{path}:{number}: {error}") from None
        except (ValueError, IndexError):
            raise LabelError(f"{path}:{number}: {line!r}: wanted `start end symbol`") from None
        if start < 0 or end <= start or (rows and start < rows[-1][1]):
            raise LabelError(f"{path}:{number}: {line!r}: times must rise and not overlap")
        rows.append((start, end, phone))
    if not rows:
        raise LabelError(f"{path}: holds no labels")
    if samples is not None and not -BEYOND_S * RATE <= samples - rows[-1][1] <= SHORT_S * RATE:
        raise LabelError(f"{path}: ends at sample {rows[-1][1]}, but its audio at {samples}: "
                         "they do not belong together")
    return _without_gaps(rows)


def _without_gaps(rows):
    """Close gaps and dropped phones at their middle."""
    kept = [(start, end, phone) for start, end, phone in rows if phone is not None]
    segments = []
    for i, (start, end, phone) in enumerate(kept):
        if i:
            start = (kept[i - 1][1] + start) // 2
        if i + 1 < len(kept):
            end = (end + kept[i + 1][0]) // 2
        segments.append(Segment(start, end, phone))
    return segments


def write(path, segments):
    """Write segments in the form that `read` reads."""
    Path(path).write_text("".join(f"{s.start} {s.end} {s.phone}\n" for s in segments))
