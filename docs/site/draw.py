"""Draws the pictures of docs/skipping.md from what `record` saw in the circuit:  python docs/site/draw.py"""

import io
import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "docs/site")]

import record  # noqa: E402

from hw import store  # noqa: E402
from sw.pictures import pyplot  # noqa: E402

FOLDER = ROOT / "docs/pictures"
NEITHER, FIRST, SECOND, BOTH = "#b8bcc2", "#1f77b4", "#e0861a", "#7b3fa0"  # fired at no step, the first, second, both
MEMORY, PLUS, MINUS, INK = "#2a9d8f", "#2a9d8f", "#d1495b", "#333333"
STYLE = {"svg.hashsalt": "sottovoce", "font.size": 9, "axes.edgecolor": INK, "text.color": INK, "axes.labelcolor": INK,
         "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False}


def save(figure, name, mark):
    """Write docs/pictures/NAME.svg with a clear ground and the recording's fingerprint in it."""
    data = io.BytesIO()
    figure.savefig(data, format="svg", transparent=True, metadata={"Date": None, "Description": f"recording {mark}"})
    pyplot().close(figure)
    store.write_atomically(FOLDER / f"{name}.svg", data.getvalue())


def figure(width, height, rows=1, **more):
    """A figure and its axes, one above the other."""
    return pyplot().subplots(rows, 1, figsize=(width, height), layout="constrained", **more)


def signal_rows(axis, names, cycles):
    """An axis as a timing diagram: a row for each name, the first on top; returns the row's height by name."""
    at = {name: len(names) - 1 - i for i, name in enumerate(names)}
    axis.set(xlim=(0, cycles), xticks=range(0, cycles + 1, 5), xlabel="cycle",
             ylim=(-0.15, len(names) - 0.1), yticks=[y + 0.4 for y in at.values()], yticklabels=list(at))
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    for cycle in range(cycles + 1):
        axis.axvline(cycle, color="#d8dade", linewidth=0.5, zorder=0)
    return at


def cell(axis, cycle, row, text, colour, width=1, solid=True):
    """One cycle's value on a row."""
    axis.broken_barh([(cycle + 0.04, width - 0.08)], (row + 0.05, 0.7), facecolors=colour if solid else "none",
                     edgecolors=colour, linewidth=0.8)
    axis.text(cycle + width / 2, row + 0.39, text, ha="center", va="center", fontsize=7.5,
              color="white" if solid else INK)


def type_a(seen, mark):
    """The first features of the frame: row reads and the digits that each PE set adds."""
    slots = [s for s in seen["A"] if s[0] < 14]
    plot, axis = figure(9.5, 2.5)
    rows = signal_rows(axis, ["feature", "its value", "row read", "PE set 0: low digits", "PE set 1: high digits"],
                       len(slots))
    starts = [i for i, s in enumerate(slots) if i == 0 or s[0] != slots[i - 1][0]] + [len(slots)]
    for start, end in zip(starts, starts[1:], strict=False):
        feature = slots[start][0]
        cell(axis, start, rows["feature"], str(feature), INK, end - start, solid=False)
        cell(axis, start, rows["its value"], str(seen["x"][feature]), INK, end - start, solid=False)
    for cycle, (feature, read, sets) in enumerate(slots):
        if read:
            cell(axis, cycle, rows["row read"], str(feature), MEMORY)
        for k, (gate, shift, negate) in enumerate(sets):
            if gate:
                name = "PE set 0: low digits" if k == 0 else "PE set 1: high digits"
                sign, colour = ("−", MINUS) if negate else ("+", PLUS)
                cell(axis, cycle, rows[name], f"{sign}{1 << shift + 4 * k}", colour)
    save(plot, "type-a", mark)


def type_b(seen, mark):
    """One time step: each set scans its own half, a row from each bank a cycle."""
    slots, half = seen["B"], len(seen["spikes"]["B"][0]) // 2
    plot, axis = figure(9.5, 1.5)
    names = ["bank 0 → PE set 0", "bank 1 → PE set 1"]
    rows = signal_rows(axis, names, len(slots))
    for cycle, (visits, _) in enumerate(slots):
        for k, row in enumerate(visits):
            if row is not None:
                cell(axis, cycle, rows[names[k]], str(row + k * half), (FIRST, SECOND)[k])
    axis.set_title(f"neurons visited: {sum(r is not None for s in slots for r in s[0])} of {2 * half}, "
                   f"in {len(slots)} cycles", loc="left", fontsize=9)
    save(plot, "type-b", mark)


def visited(seen, name):
    """(neuron, fired at step 0, at step 1) of each cycle of a scan."""
    first, second = seen["spikes"][name]
    half = len(first) // 2
    order = [next((r + h * half for h, r in enumerate(rows) if r is not None), None) for rows, _ in seen[name]]
    return [(n, first[n], second[n]) for n in order if n is not None]


def colour_of(first, second):
    return {(0, 0): NEITHER, (1, 0): FIRST, (0, 1): SECOND, (1, 1): BOTH}[first, second]


def legend(axis, entries, **where):
    """Squares with what their colours mean."""
    handles = [pyplot().Line2D([], [], marker="s", linestyle="", color=colour, markersize=5) for _, colour in entries]
    axis.legend(handles, [text for text, _ in entries], frameon=False, fontsize=8, **where)


STEPS = [("fired at step 0", FIRST), ("at step 1", SECOND), ("at both", BOTH), ("at neither", NEITHER)]


def type_d(seen, mark):
    """Which neuron is visited in each cycle, as published and with the union skip."""
    plot, axes = figure(9.5, 4.6, 2, sharex=True)
    for axis, name, title in zip(axes, ("D published", "D union"), ("as published", "union skip"), strict=True):
        order = visited(seen, name)
        axis.scatter(range(len(order)), [n for n, *_ in order], s=9, marker="s", linewidths=0,
                     color=[colour_of(a, b) for _, a, b in order])
        axis.set(ylabel="neuron", xlim=(-1, 129), ylim=(-3, 130), yticks=[0, 32, 64, 96, 127])
        axis.set_title(f"{title}: {len(order)} cycles, {len(order)} row reads", loc="left", fontsize=9)
        axis.axvline(len(order) - 0.5, color=INK, linewidth=0.8, linestyle=":")
    legend(axes[0], STEPS, loc="lower right", ncols=2)
    axes[-1].set_xlabel("cycle")
    save(plot, "type-d", mark)


def parallel(seen, mark):
    """The same neurons one time step after the other, and both at once: the first twelve that fired."""
    order = visited(seen, "D union")[:12]
    names = ["row read", "PE set 0: step 0", "PE set 1: step 1"]
    plot, axes = figure(9.5, 3.2, 2)
    for axis, title, times in ((axes[0], "one time step after the other: every row is read twice", 2),
                               (axes[1], "parallel time steps: one read serves both", 1)):
        rows = signal_rows(axis, names, 2 * len(order))
        axis.set_title(title, loc="left", fontsize=9)
        for turn in range(times):
            for cycle, (neuron, first, second) in enumerate(order, turn * len(order)):
                cell(axis, cycle, rows[names[0]], str(neuron), MEMORY)
                if first and (times == 1 or turn == 0):
                    cell(axis, cycle, rows[names[1]], "+", FIRST)
                if second and (times == 1 or turn == 1):
                    cell(axis, cycle, rows[names[2]], "+", SECOND)
    axes[0].set_xlabel("")
    save(plot, "parallel", mark)


def type_c(seen, mark):
    """A pass of the FC: one time step after the other, and merged."""
    plot, axes = figure(9.5, 4.2, 2, sharex=True)
    first, second = (visited(seen, f"C unmerged, step {k}") for k in range(2))
    merged = visited(seen, "C merged")
    total = len(first) + len(second)
    axes[0].scatter(range(len(first)), [n for n, *_ in first], s=11, marker="s", linewidths=0, color=FIRST)
    axes[0].scatter(range(len(first), total), [n for n, *_ in second], s=11, marker="s", linewidths=0, color=SECOND)
    axes[0].set_title(f"one time step after the other: {len(first)} + {len(second)} = {total} cycles", loc="left",
                      fontsize=9)
    axes[1].scatter(range(len(merged)), [n for n, *_ in merged], s=11, marker="s", linewidths=0,
                    color=[colour_of(a, b) for _, a, b in merged])
    twice = sum(double for _, sets in seen["C merged"] for _, double in sets[:1])
    axes[1].set_title(f"merged: {len(merged)} cycles; {twice} weights count double", loc="left", fontsize=9)
    for axis, end in zip(axes, (total, len(merged)), strict=True):
        axis.set(ylabel="neuron", xlim=(-1, total + 1), ylim=(-4, 132), yticks=[0, 32, 64, 96, 127])
        axis.axvline(end - 0.5, color=INK, linewidth=0.8, linestyle=":")
    legend(axes[1], STEPS[:3], loc="lower right")
    axes[1].set_xlabel("cycle")
    save(plot, "type-c", mark)


def broadcast(seen, mark):
    """Rows of weights of the first neurons that fired, lane by lane, and what the accumulators hold afterwards."""
    rows = seen["broadcast"]
    sums = [sum(column) for column in zip(*(weights for _, weights in rows), strict=True)]
    plot, axis = figure(9.5, 3.4)
    for y, weights in enumerate([*(weights for _, weights in rows), sums]):
        for lane, weight in enumerate(weights):
            last = y == len(rows)
            colour = INK if last else PLUS if weight > 0 else MINUS if weight < 0 else NEITHER
            axis.add_patch(pyplot().Rectangle((lane + 0.05, -y + 0.08 - last * 0.25), 0.9, 0.84, facecolor=colour,
                                              alpha=1 if last else 0.25 + 0.09 * abs(weight), linewidth=0))
            text = f"{weight:+d}".replace("-", "−") if weight else "0"
            axis.text(lane + 0.5, -y + 0.5 - last * 0.25, text, ha="center", va="center", fontsize=8,
                      color="white" if last else INK)
    axis.set(xlim=(0, len(sums) + 0.6), ylim=(-len(rows) - 0.4, 1.05), xticks=[i + 0.5 for i in range(len(sums))],
             xticklabels=[f"lane {i}" if i == 0 else i for i in range(len(sums))],
             yticks=[*(0.5 - y for y in range(len(rows))), 0.25 - len(rows)],
             yticklabels=[*(f"cycle {i}: neuron {n} fired" for i, (n, _) in enumerate(rows)), "accumulators"])
    axis.text(len(sums) + 0.3, 0.5, "…", va="center", ha="center")
    axis.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    for side in axis.spines.values():
        side.set_visible(False)
    save(plot, "broadcast", mark)


def frame(seen, mark):
    """What every part of `tiny` does in each cycle of a frame, mode by mode."""
    names = ["features in", "input rows", "recurrent rows, bank 0", "recurrent rows, bank 1", "LIF", "FC rows, bank 0",
             "FC rows, bank 1", "logits out"]
    of_buffer = dict(zip(("input", "recurrent0", "recurrent1", "fc0", "fc1"), (1, 2, 3, 5, 6), strict=True))
    longest = max(map(len, seen["timeline"].values()))
    plot, axes = figure(9.5, 10, len(seen["timeline"]), sharex=True)
    for axis, (mode, cycles) in zip(axes, seen["timeline"].items(), strict=True):
        bars = {name: [] for name in names}
        for cycle, (phase, reads, taken, leaves) in enumerate(cycles):
            busy = [names[of_buffer[name]] for name in reads] + [names[0]] * taken + [names[7]] * leaves
            for name in busy + [names[4]] * phase.endswith("LIF"):
                if bars[name] and sum(bars[name][-1]) == cycle:
                    bars[name][-1] = (bars[name][-1][0], bars[name][-1][1] + 1)
                else:
                    bars[name].append((cycle, 1))
        for y, name in enumerate(reversed(names)):
            colour = {"LIF": BOTH, "features in": INK, "logits out": INK}.get(name, MEMORY)
            axis.broken_barh(bars[name], (y + 0.12, 0.76), facecolors=colour, linewidth=0)
        axis.set(yticks=[y + 0.5 for y in range(len(names))], yticklabels=names[::-1], ylim=(0, len(names)),
                 xlim=(0, longest))
        axis.tick_params(axis="y", length=0, labelsize=7.5)
        reads = sum(len(r) for _, r, *_ in cycles)
        axis.set_title(f"{mode}: {len(cycles)} cycles, {reads} row reads", loc="left", fontsize=9)
        axis.axvline(len(cycles), color=INK, linewidth=0.8, linestyle=":")
    axes[-1].set_xlabel("cycle")
    save(plot, "frame", mark)


PICTURES = (type_a, type_b, type_c, type_d, parallel, broadcast, frame)


def main():
    """Record, then draw all; the recording is kept beside the pictures."""
    seen = record.recordings()
    store.write_atomically(FOLDER / "recorded.json", json.dumps(seen).encode())
    mark = record.fingerprint(seen)
    with pyplot().rc_context(STYLE):
        for draw in PICTURES:
            draw(seen, mark)
    print(f"{FOLDER}: {len(PICTURES)} pictures of recording {mark}")


if __name__ == "__main__":
    main()
