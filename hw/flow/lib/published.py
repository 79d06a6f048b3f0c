"""The published row (arXiv 2503.21337, TSMC 28 nm), each figure re-derived from the paper's own numbers where possible.

Scaling to other nodes uses constant capacitance per length and V^2 [Dennard et al., IEEE JSSC 9(5), 1974] for dynamic
energy: E ~ node x V^2. Leakage does not follow a scaling rule and is never scaled here.
"""

POWER_UW = 71.2
NODE, VOLTAGE = 28, 0.9     # nm; V: nominal of the process, the paper's supply is not in our source
CLOCK_HZ, FAST_HZ = 100e3, 500e6
TOPS_PER_W, GOPS_PER_MM2 = 28.41, 1903.11
MMAC_S, MMAC_S_UNOPTIMISED = 13.86, 145.7
CYCLES = {"t2_unmerged": 1224, "t2_merged": 895, "t1": 574}
PES = 256                   # two sets of 128
FRAMES_S = 100

DIFFERENCES = [
    "process: TSMC 28 nm there, the library's node here; no scaling makes one the other",
    "silicon or layout there; here mapped cells without wires, clock tree or IR drop, unless a row says placed",
    "SRAM: a foundry compiler at 28 nm there; here IHP's 130 nm macros (64-bit wide, eight side by side) or a model",
    "accumulators 12 bits there, 13 here; 16-bit potentials of both layers and measurement counters are included here",
    "weights and test speech: TIMIT there, this project's committed weights and an open recording here",
    "their supply voltage and what their 71.2 uW includes (pads, clock source, SRAM periphery) are not in our source",
]


def derived():
    """Published figures recomputed: name -> (value, unit, how)."""
    gops = PES * 2 * FAST_HZ / 1e9
    fast_mw = gops / TOPS_PER_W
    energy_cycle_pj = fast_mw * 1e-3 / FAST_HZ * 1e12
    dynamic_uw = energy_cycle_pj * 1e-12 * CLOCK_HZ * 1e6
    wide = 40 * 8 * 256 + 2 * 3 * 256 * 256 + 2 * 256 * 1920  # input bit by bit; three matrices and FC at T = 2
    return {
        "peak_gops": (gops, "GOPS", f"{PES} PEs x 2 operations x 500 MHz"),
        "area_mm2": (gops / GOPS_PER_MM2, "mm2", "peak / 1903.11 GOPS/mm2"),
        "power_500mhz_mw": (fast_mw, "mW", "peak / 28.41 TOPS/W"),
        "energy_cycle_pj": (energy_cycle_pj, "pJ", "upper bound: the whole of it taken as dynamic"),
        "dynamic_100khz_uw": (dynamic_uw, "uW", "energy a cycle x 100 kHz"),
        "static_share": (1 - dynamic_uw / POWER_UW, "", "what is left of 71.2 uW"),
        "unoptimised_mmac_s": (wide * FRAMES_S / 1e6, "MMAC/s",
                               f"{wide} MAC a frame at 256 wide; published {MMAC_S_UNOPTIMISED}"),
        "mmac_a_frame_k": (MMAC_S * 1e3 / FRAMES_S, "kMAC", f"published {MMAC_S} MMAC/s over 100 frames"),
        "reduction": (1 - MMAC_S / MMAC_S_UNOPTIMISED, "", "published 90.49 %"),
        "energy_frame_nj": (POWER_UW * 10, "nJ", "71.2 uW x 10 ms"),
    }


def scaled_dynamic(energy, node, voltage, to_node=NODE, to_voltage=VOLTAGE):
    """Dynamic energy moved between nodes: E ~ node x V^2."""
    return energy * to_node / node * (to_voltage / voltage) ** 2
