"""What a synthesis takes, as plain values, as a page and as a picture. JSON first, then what is made from it."""


def synthesis(config, library, netlist, buffers):
    """Blocks by instance path: own cells only, so that the total is the sum of the blocks and the macros."""
    blocks, own = {}, {}
    for path, module in netlist.instances():
        if module not in own:
            own[module] = netlist.count(module) | {"depth": netlist.depth(module)}
        counts = dict(own[module])
        counts["nand2"] = library.gates(counts["area_um2"])
        blocks[path or netlist.top] = {"module": module, **{k: _round(v) for k, v in counts.items()}}
    macros = {}
    if buffers:
        for name, buffer in buffers.items():
            macros[f"{name}_weights" if name in config.sizes() else name] = buffer.row()
    total = {key: _round(sum(b[key] for b in blocks.values()))
             for key in ("cells", "area_um2", "nand2", "flip_flops", "latches", "clock_gates", "leakage_nw",
                         "sequential_um2")}
    total["sram_um2"] = _round(sum(m["area_um2"] for m in macros.values()))
    total["sram_leakage_nw"] = _round(sum(m["leakage_nw"] for m in macros.values()))
    total["macros"] = sum(m["macros"] for m in macros.values())
    total["depth"] = max(b["depth"] for b in blocks.values())
    return {"config": config.name, "configuration": config.to_dict(), "library": library.name,
            "corner": library.corner, "voltage": library.cells.voltage, "note": library.note,
            "nand2_um2": library.cells.cells[library.nand2].area,
            "blocks": blocks, "memories": macros, "total": total}


def _round(value):
    return round(value, 3) if isinstance(value, float) else value


def page(result):
    """The report as a Markdown page."""
    total, s = result["total"], result["settings"]
    lines = [
        f"# {result['config']} in {result['library']} ({result['corner']}, {result['voltage']} V)",
        "",
        f"{result['note']}. NAND2: {result['nand2_um2']} um2. Goal {s['goal']}, {s['adders']} adders, clock gating "
        f"{'on' if s['clock_gating'] else 'off'}, nets split at {s['fanout']} sinks ({result['fanout_buffers']} "
        f"buffers added). {result['tool_versions']['yosys']}, {result['seconds']} s, {result['peak_mb']} MB.",
        "",
        "| block | module | cells | area um2 | NAND2 eq. | flip-flops | clock gates | depth | leakage uW |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for path, b in sorted(result["blocks"].items(), key=lambda item: -item[1]["area_um2"]):
        lines.append(f"| {path} | {b['module']} | {b['cells']} | {b['area_um2']:.0f} | {b['nand2']:.0f} | "
                     f"{b['flip_flops']} | {b['clock_gates']} | {b['depth']} | {b['leakage_nw'] / 1000:.3f} |")
    lines += [f"| **logic** | | {total['cells']} | {total['area_um2']:.0f} | {total['nand2']:.0f} | "
              f"{total['flip_flops']} | {total['clock_gates']} | {total['depth']} | "
              f"{total['leakage_nw'] / 1000:.3f} |", ""]
    if result["memories"]:
        lines += ["| weight buffer | rows x bits | macros | area um2 | leakage uW | pJ a row read | pJ a slice write |",
                  "|---|---|---|--:|--:|--:|--:|"]
        for name, m in result["memories"].items():
            lines.append(f"| {name} | {m['rows']} x {m['bits']} | {m['macros']} x {m['macro']} | {m['area_um2']:.0f} | "
                         f"{m['leakage_nw'] / 1000:.3f} | {m['read_pj']:.1f} | {m['write_pj']:.1f} |")
        lines += [f"| **SRAM** | | {total['macros']} | {total['sram_um2']:.0f} | "
                  f"{total['sram_leakage_nw'] / 1000:.3f} | | |", ""]
    whole = total["area_um2"] + total["sram_um2"]
    lines.append(f"Logic + SRAM: {whole / 1e6:.4f} mm2 of cells and macros, before placement. "
                 f"{total['latches']} latches, 0 unmapped cells.")
    if result["warnings"]:
        lines += ["", "Warnings, all triaged:", ""]
        lines += [f"- {count} x {reason}" for reason, count in result["warnings"].items()]
    return "\n".join(lines) + "\n"


def picture(result, path):
    """Horizontal bars: where the area goes, memories beside logic."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    parts = {f"{name} (SRAM)": m["area_um2"] for name, m in result["memories"].items()}
    for name, b in result["blocks"].items():
        parts[name] = b["area_um2"]
    parts = dict(sorted(((k, v) for k, v in parts.items() if v > 0), key=lambda item: item[1]))
    colours = ["#8899aa" if name.endswith("(SRAM)") else "#c2571a" for name in parts]
    figure, axes = plt.subplots(figsize=(9, 0.32 * len(parts) + 1.4), layout="constrained")
    bars = axes.barh(list(parts), [v / 1e6 for v in parts.values()], color=colours)
    whole = sum(parts.values())
    axes.bar_label(bars, [f" {v / 1e6:.4f}  {100 * v / whole:.1f} %" for v in parts.values()], fontsize=8)
    axes.set_xlabel("mm2")
    axes.set_title(f"{result['config']}, {result['library']}: {whole / 1e6:.3f} mm2 (logic orange, SRAM grey)",
                   fontsize=10)
    axes.margins(x=0.15)
    figure.savefig(path, dpi=120)
    plt.close(figure)
