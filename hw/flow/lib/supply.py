"""Energy against clock and voltage: sprint, then cut the supply of what `hw.sleep` lets go; or a lower one throughout.

What is on at night: the memories, and the registers that `hw.flow.power_intent` retains, which leak here as the
library's ordinary flip-flops do, for it has no retention cells. Waking charges the nets of what was cut: half of its
pins' capacitance is taken to rise. Not counted: the leakage of switches and isolation, wires and wells in the charge.
"""

from typing import NamedTuple

from hw.accelerator import lost

FRAME_S = 0.01
VOLTAGES = (0.9, 0.8)  # of nominal
CLOCKS = (1e5, 1e6, 1e7, 5e7)
ASSUMES = {
    "sleep": "between frames memories and retained registers keep their supply, the rest leaks nothing; waking charges "
             "half of the pins that were cut; switches and isolation leak nothing",
    "voltage": "dynamic ~ V^2, leakage ~ V; timing holds at 100 kHz",
}


class Night(NamedTuple):
    """nJ a frame of 10 ms that leak at night, and nJ that waking once takes."""

    kept_nj: float
    wake_nj: float


def night(config, instances, cells_of, block_of, memories_nj, voltage):
    """The `Night` of a netlist: its leaves with their leakage in W, their cells by path, and the block of a path."""
    gone = {*lost(config), "accelerator"}
    registers = sum(item["leakage"] for item in instances if item["name"] in cells_of
                    and cells_of[item["name"]].storage and block_of(item["name"]) not in gone)
    dark = sum(pin.capacitance for path, cell in cells_of.items()
               if not cell.storage or block_of(path) in gone for pin in cell.inputs)
    return Night(memories_nj + registers * FRAME_S * 1e9, 0.5 * dark * 1e-12 * voltage**2 * 1e9)


def sweep(total, cycles, asleep):
    """Rows: a frame's nJ at each clock, asleep for the rest of the frame; and at lower voltages, always on."""
    dynamic, leakage = total["dynamic_nj"], total["leakage_nj"]
    rows = []
    for clock in CLOCKS:
        awake = min(FRAME_S, cycles / clock)
        rows.append({"clock_hz": clock, "voltage_of_nominal": 1.0, "awake_ms": awake * 1e3,
                     "kept_nj": round(asleep.kept_nj, 4), "wake_nj": round(asleep.wake_nj, 4),
                     "energy_nj": dynamic + asleep.kept_nj + (leakage - asleep.kept_nj) * awake / FRAME_S
                     + asleep.wake_nj * (awake < FRAME_S), "assumes": ASSUMES["sleep"]})
    for v in VOLTAGES:
        rows.append({"clock_hz": CLOCKS[0], "voltage_of_nominal": v, "awake_ms": FRAME_S * 1e3,
                     "energy_nj": dynamic * v**2 + leakage * v, "assumes": ASSUMES["voltage"]})
    return rows
