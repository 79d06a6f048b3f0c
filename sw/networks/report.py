"""What an import says: what was rounded and by how much, how far the spikes agree, and what to type next."""


def table(rows):
    """Rows of text, the first a heading, in columns; the first column is aligned to the left."""
    wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(w) if i == 0 else cell.rjust(w)
                      for i, (cell, w) in enumerate(zip(row, wide, strict=True))).rstrip() for row in rows]


def layer_row(layer):
    agreed = layer["agreement"]
    rounded = ("exact", "", "") if layer["exact"] else (
        f"{layer['leak']['mean']:.4f}", f"{100 * layer['weights']:.1f} %", f"{100 * layer['thresholds']['mean']:.1f} %")
    return (layer["name"], str(layer["neurons"]), "yes" if layer["recurrent"] else "no", *rounded,
            f"{100 * agreed['bits_equal']:.2f} %", f"{100 * agreed['spikes_in_common']:.1f} %",
            f"{100 * agreed['rate_agreement']:.1f} %", f"{agreed['rate']:.3f}", f"{agreed['rate_reference']:.3f}")


def text(report, folder):
    """The printed report; `folder`: where the network was written."""
    config, heard, read = report["config"], report["calibration"], report["readout"]
    lines = [f"{report['source']}: {report['features']} features, {len(report['layers'])} spiking layers, "
             f"{read['outputs']} outputs ({read['kind']} readout); dt {report['dt']:g} s, an int8 feature of 1 is "
             f"{report['feature_step']:g}", ""]
    lines += table([("layer", "neurons", "recurrent", "leak off", "weights off", "threshold moved", "bits equal",
                     "spikes in common", "rates agree", "rate", "in float"), *map(layer_row, report["layers"])])
    compared = f"{heard['clips_compared']} clips of {heard['frames_a_clip']} frames"
    held_back = "" if heard["clips"] == heard["clips_compared"] else f", held back from {heard['clips']}"
    lines += ["", f"compared with the graph run in floats by NIR's equations: {compared}{held_back}; "
                  f"calibration: {heard['source']}"]
    first = report["first_divergence"]
    lines.append("first divergence: none" if first is None else
                 f"first divergence: frame {first['frame']}, layer {first['layer']}, neuron {first['neuron']} "
                 f"(clip {first['clip']})")
    if read["agreement"]:
        lines.append(f"largest output: the same in {100 * read['agreement']['same_largest_of_clips']:.1f} % of clips, "
                     f"{100 * read['agreement']['same_largest_of_frames']:.1f} % of frames")
    if report["saturated_potentials"]:
        lines.append(f"{report['saturated_potentials']} potentials met the lower bound of "
                     f"{config['potential_bits']} bits")
    where = f"{folder}/config.yaml"
    lines += ["", f"{folder}: config.yaml, weights.safetensors, manifest.json, report.json ({report['seconds']} s); "
                  f"{config['lanes']} lanes, {config['weight_bits']}-bit weights, sha256 {report['sha256'][:16]}",
              f"next: sottovoce verilog --config {where}", f"      sottovoce conformance --model {folder}",
              f"      sottovoce synth --config {where}"]
    return "\n".join(lines)
