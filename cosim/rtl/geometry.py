"""What the C++ harness must know of a configuration: sizes, and where the registers it records are."""

from hw.types import load_layout, logits_layout


def words(bits):
    """32-bit words that hold so many bits."""
    return -(-bits // 32)


def header(config):
    """Text of `geometry.hpp`."""
    beat = logits_layout(config)
    root = "root.accelerator__DOT__"
    lanes = [[f"&{root}lif__DOT__potential_{layer}_{lane}" for lane in range(config.neurons)] for layer in range(2)]
    spikes = [f"&{root}lif__DOT__spikes___05F{i}" for i in range(4)]
    potential = "uint8_t uint16_t uint32_t".split()[(config.potential_bits > 8) + (config.potential_bits > 16)]
    return f"""#pragma once
constexpr int FEATURES = {config.features}, NEURONS = {config.neurons}, POTENTIAL_BITS = {config.potential_bits};
constexpr int BEATS = {config.outputs // config.logits_per_beat}, LAST_BIT = {beat["last"].offset};
constexpr int LOGIT_WORDS = {words(beat.size)}, LOAD_WORDS = {words(load_layout(config).size)};
struct Probes {{
    using Spikes = decltype(Vaccelerator___024root::accelerator__DOT__lif__DOT__spikes___05F0);
    const {potential}* potentials[2][NEURONS];
    const Spikes* spikes[4];
    const CData *lif_enable, *lif_layer, *lif_step, *frame;
    explicit Probes(Vaccelerator___024root& root)
        : potentials{{{{{", ".join(lanes[0])}}},
                     {{{", ".join(lanes[1])}}}}},
          spikes{{{", ".join(spikes)}}},
          lif_enable(&{root}lif__DOT__enable), lif_layer(&{root}lif__DOT__layer), lif_step(&{root}lif__DOT__step),
          frame(&{root}counters__DOT__frame) {{}}
}};
"""
