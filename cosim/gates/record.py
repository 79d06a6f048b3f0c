"""What a machine takes, as plain values: the one record of `sottovoce energy` and `sottovoce explore`.

    energy of a frame = cycles x energy of a cycle in logic + accesses x energy of an access + leakage x 10 ms

After layout, by the rule of docs/physical.md: logic takes so many times the dynamic energy and the leakage as what was
routed took of the same before layout (`sottovoce after-layout`); SRAM macros are laid out already and take what they
took.
"""

import functools

import numpy as np

from cosim.gates import frame_energy
from hw import store
from hw.flow.lib import memories
from hw.flow.lib.supply import FRAME_S
from hw.interface import WEIGHT_BUFFERS

KINDS = ("dynamic", "leakage")


@functools.cache
def factors():
    """After layout ÷ before, of logic: what `sottovoce after-layout` published, `factor` by kind and what it is `of`;
    {} where nothing is.
    """
    return store.read_json(store.results("physical.json", True)).get("after_layout", {})


def laid_out(parts, leaks, factor):
    """nJ a frame by part after layout; `parts`: `parts_nj` of the energy table, `leaks`: nJ of its macros' leakage."""
    out = {"logic_nj": parts["logic_nj"] * factor["dynamic"], "sram_nj": parts["sram_nj"],
           "leakage_nj": leaks + (parts["leakage_nj"] - leaks) * factor["leakage"]}
    return {k: round(v, 4) for k, v in (out | {"energy_nj": sum(out.values())}).items()}


def after_layout(parts, leaks):
    """The same frame after layout, estimated, as plain values; {} where no factor is measured."""
    found = factors()
    if not found:
        return {}
    factor = found["factor"]
    return {"energy_per_frame_nj": round(laid_out(parts, leaks, factor)["energy_nj"], 2),
            "how": f"before layout x measured factors (sottovoce after-layout): logic {factor['dynamic']}, its leakage "
            f"{factor['leakage']}, of {found['of']['config']}; macros 1"}


def macro_leakage_nj(config, library, settings):
    """nJ that the SRAM macros of a synthesis leak in a frame; of its `settings`, the choice of macros counts."""
    return sum(b.leakage for b in memories.built(config, library, settings).values()) * FRAME_S


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
    kinds = {key: parts[key] for key in ("logic_nj", "sram_nj", "leakage_nj")}
    macros = macro_leakage_nj(config, library, mapped["settings"])
    total = mapped["total"]
    return {
        "logic_um2": round(total["area_um2"], 1), "area_um2": round(total["area_um2"] + total["sram_um2"], 1),
        "flip_flops": total["flip_flops"], "leakage_uw": round(power["leakage_uw"], 3),
        "energy_per_frame_nj": parts["energy_nj"], "power_uw_at_10ms": parts["power_uw"],
        "pj_a_cycle": parts["pj_a_cycle"], **kinds, "macro_leakage_nj": round(macros, 3),
        "after_layout": after_layout(kinds, macros), "method": power["method"]}
