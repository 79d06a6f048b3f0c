"""What a machine takes, as plain values: the one record of `sottovoce energy` and `sottovoce explore`.

    energy of a frame = cycles x energy of a cycle in logic + accesses x energy of an access + leakage x 10 ms

After layout, by the rule of docs/physical.md: logic takes `FACTORS.dynamic` times the dynamic energy and
`FACTORS.leakage` times the leakage, as routed blocks did beside the same blocks before layout; SRAM macros are laid out
already and take what they took.
"""

import functools
from typing import NamedTuple

import numpy as np

from cosim.gates import frame_energy
from hw import store
from hw.flow.lib import memories
from hw.interface import WEIGHT_BUFFERS


class Factors(NamedTuple):
    """After layout ÷ before, of logic; `of` says of what."""

    dynamic: float
    leakage: float
    of: str


@functools.cache
def factors():
    """`Factors` of the blocks in docs/results/physical.json that were routed, or None where it holds none."""
    energies = store.read_json(store.results("physical.json", True)).get("energy", [])
    found = {row["stage"]: row for row in energies
             if (row["config"], row["corner"], row["activity"]) == ("seed", "typ", "speech")}
    before, after = found.get("synthesised"), found.get("routed-blocks")
    if not before or not after:
        return None

    def parts(row, block):
        return row["dynamic_by_block_nj"][block], row["by_block_nj"][block] - row["dynamic_by_block_nj"][block]

    routed = [block for block in after["by_block_nj"] if block in before["by_block_nj"] and
              parts(after, block)[1] > 1.01 * parts(before, block)[1]]
    sums = [np.sum([parts(row, block) for block in routed], 0) for row in (before, after)]
    dynamic, leakage = (round(float(value), 2) for value in sums[1] / sums[0])
    return Factors(dynamic, leakage, f"{len(routed)} routed blocks of seed")


def after_layout(logic_nj, sram_nj, leakage_nj, macro_leakage_nj):
    """The same frame after layout, estimated, as plain values; {} where no factor is measured."""
    found = factors()
    if not found:
        return {}
    energy = logic_nj * found.dynamic + sram_nj + (leakage_nj - macro_leakage_nj) * found.leakage + macro_leakage_nj
    return {"energy_per_frame_nj": round(energy, 2), "how": f"before layout x measured factors: logic {found.dynamic}, "
            f"its leakage {found.leakage} ({found.of}), macros 1"}


def macro_leakage_nj(config, library, macros):
    """Leakage of a frame of 10 ms in the SRAM macros of a configuration, by choice of macros."""
    return sum(b.leakage for b in memories.compose(config, library, macros).values()) * 1e-2


def counted(config, cycles, reads):
    """What the counters tell of frames: cycles (T,), row reads (T, B)."""
    return {
        "cycles_per_frame": round(float(np.mean(cycles)), 2), "cycles_worst": int(np.max(cycles)),
        "row_reads": round(float(np.mean(reads.sum(1))), 2),
        "reads": {n: round(float(r), 3) for n, r in zip(WEIGHT_BUFFERS, reads.mean(0), strict=True)},
        "memory_bits": sum(rows * bits for rows, bits, _ in config.memories().values())}


def physical(config, library, mapped, power, cycles, reads):
    """Physical figures of a machine over frames with these cycles (T,) and row reads (T, B).

    `mapped` is the report of its synthesis, `power` that of its netlist's gates under a window of frames.
    """
    buffers = memories.built(config, library, mapped["settings"])
    parts = frame_energy.estimate(power, buffers, cycles, reads, config.accesses())
    kinds = {key: parts[key] for key in ("logic_nj", "sram_nj", "leakage_nj")} | {
        "macro_leakage_nj": round(macro_leakage_nj(config, library, mapped["settings"]["prefer"]), 3)}
    total = mapped["total"]
    return {
        "logic_um2": round(total["area_um2"], 1), "area_um2": round(total["area_um2"] + total["sram_um2"], 1),
        "flip_flops": total["flip_flops"], "leakage_uw": round(power["leakage_uw"], 3),
        "energy_per_frame_nj": parts["energy_nj"], "power_uw_at_10ms": parts["power_uw"],
        "pj_a_cycle": parts["pj_a_cycle"], **kinds, "after_layout": after_layout(**kinds), "method": power["method"]}
