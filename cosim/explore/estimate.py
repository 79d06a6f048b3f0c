"""Physical figures of a machine that was not mapped, from its counters and a fit to machines that were.

Memories are exact: reads counted, energy and leakage the macros' own. Logic is fitted by least squares without negative
coefficients: area and leakage in proportion to what `sottovoce describe` estimates, energy of a cycle to the parts that
work in each cycle and to the rest. How far the fit is off is measured by leaving out one machine at a time.
"""

import numpy as np
from scipy.optimize import nnls

from hw.describe import area
from hw.flow import power
from hw.flow.lib import memories

FEWEST = 4  # machines to fit to
BUSY = ("PE sets", "combine", "rows")  # parts that work in most cycles


class TooFew(ValueError):
    """Too few measured machines to fit to."""


def parts_of(config):
    """(mm2 that `describe` expects of busy logic, of other logic)."""
    found = area(config)
    busy = sum(found[name] for name in BUSY)
    return busy, found["total"] - found["memories"] - busy


class Fit:
    """Coefficients from measured machines: `samples` are (config, record)s."""

    def __init__(self, samples, fewest=FEWEST):
        if len({record["config"] for _, record in samples}) < fewest:
            raise TooFew(f"{len({r['config'] for _, r in samples})} machine(s) measured with this library: a fit "
                         f"wants {fewest}; run fewer values without --estimate first, into the same --out")
        self.samples = samples
        sizes = np.array([parts_of(config) for config, _ in samples])
        total = sizes.sum(1)
        self.um2 = float(total @ [r["logic_um2"] for _, r in samples] / (total @ total))
        leakage = [r["leakage_nj"] - r["macro_leakage_nj"] for _, r in samples]
        self.leakage_nj = float(total @ leakage / (total @ total))
        self.pj_cycle = nnls(sizes, np.array([r["pj_a_cycle"] for _, r in samples]))[0]

    def figures(self, config, library, cycles, reads, macros="area"):
        """The record's physical part for a machine that runs these cycles and row reads a frame."""
        sizes = np.array(parts_of(config))
        buffers = memories.compose(config, library, macros)
        sram, kept = memory_nj(config, buffers, reads)
        logic, pj = self.um2 * sizes.sum(), float(self.pj_cycle @ sizes)
        leakage = self.leakage_nj * sizes.sum() + kept
        energy = cycles * pj * 1e-3 + sram + leakage
        return {"logic_um2": round(logic), "area_um2": round(logic + sum(b.area for b in buffers.values())),
                "leakage_uw": round(leakage / 10, 3), "energy_per_frame_nj": round(energy, 2),
                "power_uw_at_10ms": round(energy / 10, 3), "pj_a_cycle": round(pj, 3),
                "logic_nj": round(cycles * pj * 1e-3, 2), "sram_nj": round(sram, 2), "leakage_nj": round(leakage, 2),
                "macro_leakage_nj": round(kept, 3)}


def memory_nj(config, buffers, reads):
    """(nJ a frame of all memory accesses, of leakage): `reads` of weight rows, the rest as `config.accesses()`."""
    blocks = {}
    power.add_memories(blocks, {name: b.row() for name, b in buffers.items()}, reads, 1,
                       config.accesses())
    return tuple(sum(row[kind] for row in blocks.values()) for kind in ("sram_nj", "leakage_nj"))


def left_out(samples, library):
    """(mean, worst) error of energy a frame in percent, each machine estimated from a fit to the others."""
    errors = []
    for name in sorted({record["config"] for _, record in samples}):
        fit = Fit([s for s in samples if s[1]["config"] != name], FEWEST - 1)
        for config, record in samples:
            if record["config"] == name:
                found = fit.figures(config, library, record["cycles_per_frame"], record["reads"],
                                    record.get("macros", "area"))
                errors.append(100 * abs(found["energy_per_frame_nj"] / record["energy_per_frame_nj"] - 1))
    return float(np.mean(errors)), float(np.max(errors))
