"""What a configuration will take, before anything is built: sizes, bits, rows, cycles, memory, area, its program.

    sottovoce describe paper
    sottovoce describe my.yaml --json
"""

import json

from . import config as configs
from .config import GROUP_BITS
from .interface import WEIGHT_BUFFERS, Recurrent, modes_of, phases
from .program import Kind, listing, program

# Area in IHP's 130 nm, um2, of a bit of each part as `paper` maps it, its flip-flops included; SRAM by the fit of
# `hw.flow.lib.sram_model`. `sottovoce synth` maps the real thing.
FLIP_FLOP, PE, COMBINE, DRAIN, LIF, LIF_CHOICE, SCAN, ROW, INPUT, COUNTER, FIXED = (
    52.0, 152.5, 50.0, 105.6, 205.0, 9.0, 189.0, 72.0, 69.0, 80.0, 11_000.0)
DIRECT = 10.0  # a multiplexer in place of a copy: not fitted, a two-input one a bit
SRAM_BIT, SRAM_COLUMN, SRAM_ROWS = 3.474, 566.5, 64  # macros have 64, 128, 256, ... rows


def cycles(config, mode, density):
    """Cycles of a frame in steady state where a share `density` of the neurons fires, independently at each time step.

    0: silence, zero features. 1: all fire and features have as many digits as there can be. Both are exact. Between:
    features halfway; the fuller half of a scan is taken to be as full as the other. By change, spikes of one frame are
    taken to say nothing of the next, which is the worst that they can do at that density but for a plan.
    """
    mode, built = mode.built(config), config.mechanisms
    most = GROUP_BITS // 2 if config.input_code == "signed_digit" else GROUP_BITS  # of which no two are neighbours
    digits = {0: 1, 1: most}.get(density, (1 + most) / 2) if built.zero_skip_input else GROUP_BITS
    either = 1 - (1 - density) ** 2
    differ, same = 2 * density * (1 - density), (1 - density) ** 4 + density ** 4 + (2 * density * (1 - density)) ** 2
    direct = config.drain == "direct"
    beats = 2 * config.lanes // config.logits_per_beat

    def scan(neurons, share, split):
        return max(1, (-(-neurons // 2) if split else neurons) * share)

    scanned = {block.base: block.source for block in config.blocks()}
    total, captured = 0, 0
    for step in program(config):
        if step.kind is Kind.INPUT:
            total += config.features * digits
        elif step.kind is Kind.LIF:
            total += step.words * (2 if config.lif_in_memory else mode.time_steps)
        elif step.kind in (Kind.COMBINE, Kind.WAIT, Kind.FINAL):
            total += max(1, step.words)
        elif step.kind is Kind.FC:
            share = density if built.zero_skip_fc else 1
            scans = mode.time_steps
            if mode.two_steps and mode.merge:
                share, scans = either if built.zero_skip_fc else 1, 1
            if mode.by_change and step.change and scans == 1:
                share = 1 - same if mode.two_steps else differ
            for index in range(config.passes):
                split = config.split_pass and index == config.passes - 1
                slots = scans * scan(config.last.neurons, share, split)
                if direct:
                    last_beats = config.outputs // config.logits_per_beat - index * beats
                    captured += slots + min(beats, last_beats)
                else:
                    captured += max(slots, beats + 1) if index else slots  # the drain may hold up a pass's capture
        else:
            neurons = config.layers[scanned[step.base]].neurons
            if mode.by_change and step.change:
                total += scan(neurons, 1 - (1 - differ) ** 2 if mode.two_steps else differ, not mode.two_steps)
            elif not mode.two_steps:
                total += scan(neurons, density if built.zero_skip_recurrent else 1, True)
            elif mode.recurrent is Recurrent.SEQUENTIAL:
                total += 2 * neurons
            else:
                total += scan(neurons, 1 if mode.recurrent is Recurrent.PARALLEL else either, False)
    return round(total + captured)


def memories(config):
    """Memories as rows of plain values: name, rows, bits a row, bits."""
    return [{"name": name, "rows": rows, "row_bits": bits, "bits": rows * bits}
            for name, (rows, bits, _) in config.memories().items()]


def area(config):
    """Rough area by part in mm2, IHP 130 nm, before layout."""
    c, states = config, 1 + config.synapses
    neurons = [layer.neurons for layer in c.layers]
    spikes = 2 * sum(n + (c.groups_of(k) - 1) * c.lanes for k, n in enumerate(neurons))
    late = 2 * sum(c.frames_kept(k) * n for k, n in enumerate(neurons))
    late += sum(c.layers[layer].neurons * most.bit_length() for layer, most in c.delays().values())
    kept = 0 if c.lif_in_memory else sum(neurons) * states * c.potential_bits + c.words * c.neuron_bits
    parts = {
        "memories": sum(_deep(rows) * bits * SRAM_BIT + bits * SRAM_COLUMN for rows, bits, _ in c.memories().values()),
        "PE sets": 2 * c.lanes * c.accumulator_bits * PE,
        "combine": (c.lif_lanes if c.serial_combine else c.lanes) * c.accumulator_bits * COMBINE,
        "LIF": c.lif_lanes * states * c.potential_bits * LIF
        + (c.lif_lanes < c.lanes) * 2 * c.lanes * c.accumulator_bits * LIF_CHOICE,
        "potentials, tables": kept * FLIP_FLOP,
        "spikes": spikes * FLIP_FLOP,
        "delays": late * FLIP_FLOP,
        "drain": 2 * c.lanes * c.logit_bits * (DIRECT if c.drain == "direct" else DRAIN),
        "zero-skipping": 2 * c.half * SCAN,
        "rows": 2 * c.row_bits * ROW,
        "input, counters": c.features * c.feature_bits * INPUT
        + c.counters * 32 * (len(phases(c)) + len(WEIGHT_BUFFERS) + 1) * COUNTER + FIXED,
    }
    return {name: round(um2 * 1e-6, 4) for name, um2 in parts.items()} | {
        "total": round(sum(parts.values()) * 1e-6, 3)}


def _deep(rows):
    """Rows of the macros that hold so many."""
    return max(SRAM_ROWS, 1 << (rows - 1).bit_length())


def describe(config):
    """Everything as plain values."""
    return {
        "name": config.name,
        "network": [config.features, *(layer.neurons for layer in config.layers), config.outputs],
        "lanes": config.lanes,
        "groups": [config.groups_of(k) for k in range(len(config.layers))] + [config.groups],
        "weights": sum(rows * columns for rows, columns in config.matrices().values()),
        "bits": {"weight": config.weight_bits, "accumulator": config.accumulator_bits,
                 "accumulator needed": config.accumulator_bits_needed, "potential": config.potential_bits,
                 "logit": config.logit_bits},
        "LIF": {"lanes": config.lif_lanes, "words": config.words,
                "state in": "memory" if config.lif_in_memory else "flip-flops",
                "table of neurons": config.neuron_fields()},
        "delays": {matrix: most for matrix, (_, most) in config.delays().items()},
        "memories": memories(config),
        "cycles": {name: {"best": cycles(config, mode, 0), "typical": cycles(config, mode, 0.2),
                          "worst": cycles(config, mode, 1)} for name, mode in modes_of(config).items()},
        "area_mm2": area(config),
        "program": listing(config),
    }


def text(config):
    """The same for people."""
    found = describe(config)
    memory = sum(row["bits"] for row in found["memories"])
    bits, lif = found["bits"], found["LIF"]
    lines = [
        f"{config.name}: {' -> '.join(map(str, found['network']))}, {found['weights']:,} weights of "
        f"{bits['weight']} bits on 2 x {config.lanes} lanes; groups {', '.join(map(str, found['groups']))}",
        f"accumulators {bits['accumulator']} bits ({bits['accumulator needed']} needed), logits {bits['logit']} bits, "
        f"potentials Q{config.potential_bits - config.potential_fraction}.{config.potential_fraction}",
        f"LIF: {lif['lanes']} neurons a cycle, {lif['words']} words, state in {lif['state in']}"
        + (f"; a neuron has its own {', '.join(lif['table of neurons'])}" if lif["table of neurons"] else ""),
        *(f"delays into {matrix}: 0 to {most} frames" for matrix, most in found["delays"].items()),
        "", f"memories: {memory / 8192:.1f} KiB",
        *(f"  {row['name']:<14}{row['rows']:>6} rows x {row['row_bits']:>5} bits" for row in found["memories"]),
        "", f"cycles a frame    {'silence':>8}{'20 % fire':>11}{'all fire':>10}",
        *(f"  {name:<16}{row['best']:>8}{row['typical']:>11}{row['worst']:>10}"
          for name, row in found["cycles"].items()),
        "", "area, mm2, IHP 130 nm, rough (`sottovoce synth` maps it)",
        *(f"  {name:<22}{value:>8.3f}" for name, value in found["area_mm2"].items()),
        "", "program of a frame", *found["program"]]
    return "\n".join(lines)


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("config", help="a configuration's name or YAML file")
    parser.add_argument("--json", action="store_true", help="plain values in place of text")


def run(args):
    config = configs.load(args.config)
    print(json.dumps(describe(config), indent=1) if args.json else text(config))
