"""C header of a configuration, for firmware that drives the accelerator: sizes, load port, registers, modes."""

from .config import Config
from .interface import WEIGHT_BUFFERS, Buffer, modes_of, phases, registers
from .types import load_layout, logits_layout


def header(config: Config):
    """Text of `accelerator.h`; values are those the Verilog was emitted with."""
    load, logits = load_layout(config), logits_layout(config)
    groups = {
        "sizes": {"FEATURES": config.features, "LANES": config.lanes, "LAYERS": len(config.layers),
                  **{f"NEURONS{k}": layer.neurons for k, layer in enumerate(config.layers)}, "OUTPUTS": config.results,
                  "WEIGHT_BITS": config.weight_bits, "POTENTIAL_FRACTION": config.potential_fraction,
                  "LOGIT_BITS": config.result_bits, "LOGITS_PER_BEAT": config.results_per_beat,
                  "LOGITS_LAST_BIT": logits["last"].offset},
        "rows of the weight buffers": {f"ROWS_{name.upper()}": rows for name, (rows, _) in config.sizes().items()},
        "load port: first bit of each field": {f"LOAD_{name.upper()}": load[name].offset
                                               for name in ("buffer", "row", "slice", "data")},
        "values of the load port's buffer field": {f"BUFFER_{b.name}": b.value for b in Buffer},
        "rows of BUFFER_REGISTER": {f"REGISTER_{r.name}": r.value for r in registers(config)},
        "values of REGISTER_MODE": {f"MODE_{name.upper()}": mode.bits for name, mode in modes_of(config).items()},
        "order of the cycle counters": {f"CYCLES_{p.name}": p.value for p in phases(config)},
        "order of the row read counters": {f"READS_{name.upper()}": i for i, name in enumerate(WEIGHT_BUFFERS)},
    }
    lines = [f"/* Sottovoce accelerator, configuration {config.name}. Generated: edit the configuration instead. */",
             "#ifndef SOTTOVOCE_ACCELERATOR_H", "#define SOTTOVOCE_ACCELERATOR_H"]
    for title, values in groups.items():
        lines += ["", f"/* {title} */", *(f"#define SV_{name} {value}" for name, value in values.items())]
    return "\n".join([*lines, "", "#endif", ""])
