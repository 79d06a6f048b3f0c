"""What the steps of a layout said: figures, antennas, congestion, skew, IR drop; as plain values. um, ns, V, mV."""

import re

STEPS = ("01_floorplan", "02_power_grid", "03_place", "04_clock", "05_global_route", "06_detailed_route", "07_finish")


def figures(text):
    """`FIGURE name value` lines of a step's log; numbers where they are numbers, the last of each name."""
    out = {}
    for name, value in re.findall(r"^FIGURE (\S+) (.*)$", text, re.M):
        try:
            out[name] = int(value) if re.fullmatch(r"-?\d+", value) else float(value)
        except ValueError:
            out[name] = value
    return out


def _numbers(pattern, text):
    return [float(n) for n in re.findall(pattern, text, re.M)]


def _last(pattern, text):
    found = _numbers(pattern, text)
    return found[-1] if found else None


def clock_tree(text):
    """Sinks, buffers and skew of the log of a step that made or reported a clock tree."""
    skew = re.search(r"^Latency\s+CRPR\s+Skew\n.*\n.*\n.*\n\s*\S+\s+\S+\s+(-?[\d.]+)", text, re.M) \
        or re.search(r"^\s*(-?[\d.]+) (?:setup|hold) skew", text, re.M)
    return {"clock_sinks": int(sum(_numbers(r"Clock net \"\S+\"\s+has (\d+) sinks", text))),
            "clock_buffers": int(sum(_numbers(r"Created (\d+) clock buffers", text))),
            "skew_ns": float(skew[1]) if skew else None}


def routing(text):
    """Wire length, share of the tracks used and overflow of a global route's log."""
    total = re.search(r"^Total\s+(\d+)\s+(\d+)\s+([\d.]+)%.*/\s*(\d+)\s*$", text, re.M)
    return {"wirelength_um": _last(r"[Tt]otal wirelength: (\d+)", text),
            "routing_usage_percent": float(total[3]) if total else None,
            "routing_overflow": int(total[4]) if total else None,
            "diodes": int(sum(_numbers(r"Inserted (\d+) diodes", text)))}


def detail_progress(line):
    """What a line of the detailed router says of how far it is, or None."""
    found = re.search(r"Start (\d+)\S* optimization iteration", line)
    if found:
        return f"round {found[1]}"
    found = re.search(r"Completing (\d+%) with (\d+) violations", line)
    return f"{found[1]}, {found[2]} violations" if found else None


def detailed(text):
    """Wire length, vias and the number of violations after each round of a detailed route's log."""
    return {"wire_um": _last(r"[Tt]otal wire length = (\d+) um", text),
            "vias": _last(r"Total number of vias = (\d+)", text),
            "violations_by_round": [int(n) for n in _numbers(r"Number of violations = (\d+)", text)]}


def antenna_nets(text):
    """Names of the nets in a report of `check_antennas`."""
    return re.findall(r"^\s*[Nn]et\s*[:-]\s*(\S+)", text, re.M)


def ir_drop(text):
    """Worst drop and share of the supply, in mV and percent, by net, of the finish step's log."""
    nets = re.findall(r"(?:Worstcase|Worst-case) IR drop[: ]+\s*([\d.e+-]+)", text)
    return [1e3 * float(v) for v in nets]


def record(steps, logs):
    """One flat record of a finished layout. `steps`: step -> figures, `logs`: step -> text."""
    last = steps["07_finish"]
    out = {
        "stage": "routed", "die_um2": round(last["die_um2"], 1), "cell_um2": round(last["cell_um2"], 1),
        "utilisation_percent": round(last["utilisation_percent"], 2), "cells": last["cells"],
        "route_violations": steps["06_detailed_route"]["route_violations"],
        "antennas": steps["06_detailed_route"]["antennas"], "unpowered_pins": last["unpowered_pins"],
        "supply_connected": all(steps["02_power_grid"].get(f"{n}_connected") == 1 for n in ("VDD", "VSS")),
        "slack_ns": {"setup": last["setup_slack_ns"], "hold": last["hold_slack_ns"]},
        "violations": {k.removesuffix("_violations"): v for k, v in last.items() if k.endswith("_violations")},
        **clock_tree(logs["04_clock"]), **routing(logs["05_global_route"]), **detailed(logs["06_detailed_route"]),
    }
    skew = clock_tree(logs["07_finish"])["skew_ns"]
    drop = ir_drop(logs["07_finish"])
    return out | {"skew_ns": skew if skew is not None else out["skew_ns"],
                  "ir_drop_mv": {n: round(v, 4) for n, v in zip(("VDD", "VSS"), drop, strict=False)}}
