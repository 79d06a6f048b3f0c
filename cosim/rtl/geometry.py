"""What the C++ harness must know of a configuration: sizes, and the signals that it records."""

from hw.interface import WEIGHT_BUFFERS, phases
from hw.types import load_layout, logits_layout

WORD = 32


def words(bits):
    """32-bit words that hold so many bits."""
    return -(-bits // WORD)


def header(config):
    """Text of `geometry.hpp`."""
    beat, lanes = logits_layout(config), config.lif_lanes
    counters = [f"top.PORT(cycles, {i})" for i in range(len(phases(config)))]
    counters += [f"top.PORT(row_reads, {i})" for i in range(len(WEIGHT_BUFFERS))]
    sizes = {
        "FEATURES": config.features, "LIF_LANES": lanes, "LIF_WORDS": config.words,
        "POTENTIAL_BITS": config.potential_bits, "BEATS": config.results // config.results_per_beat,
        "LAST_BIT": beat["last"].offset, "LOGIT_WORDS": words(beat.size), "LOAD_WORDS": words(load_layout(config).size),
        "COUNTERS": len(counters), "SPIKE_WORDS": words(lanes), "STATE_WORDS": words(lanes * config.potential_bits)}
    lif = "root->accelerator__DOT__lif__DOT__"
    return f"""#pragma once
{"".join(f"constexpr int {name} = {value};" + chr(10) for name, value in sizes.items())}
#define ALL_COUNTERS(top) {", ".join(counters)}
#define WATCHDOG {int(config.watchdog)}
#define PARITY {int(config.parity)}
#define FRAME_ENDS(root) root->accelerator__DOT__counters__DOT__frame
#define SEEN(root) {lif}seen
#define SEEN_WORD(root) {word_of(config, lif)}
#define SEEN_STEP(root) {lif}seen_step
#define SEEN_SPIKES(root) {lif}seen_spikes
#define SEEN_POTENTIALS(root) {lif}seen_potentials
"""


def word_of(config, lif):
    """The index of the word that the LIF unit has at work; a configuration of one word has no such signal."""
    return f"{lif}seen_word" if config.words > 1 else "0"
