"""The pictures of docs/lpa.md, from the values of lpa.json."""

from sw import pictures

COLOURS = {"easiest": "tab:blue", "random": "tab:gray", "hardest": "tab:red"}


def plot_scaling(results, path):
    """Time and memory over length, both axes logarithmic."""
    rows = results["scaling"]
    x = [r["seconds"] for r in rows]
    figure, (left, right) = pictures.pyplot().subplots(1, 2, figsize=(10, 4))
    for name, label, colour in (("lpa", "LPA, hard gates", "tab:blue"), ("attention", "attention, torch", "tab:red")):
        left.loglog(x, [r[f"{name}_ms"] for r in rows], "o-", color=colour,
                    label=f"{label}: n^{results[f'exponent_{name}']:.2f}")
        right.loglog(x, [max(0.1, r.get(f"{name}_mb", 0)) for r in rows], "o-", color=colour, label=label)
    right.loglog(x, [max(0.1, r.get("attention_full_mb", 0)) for r in rows], "o--", color="tab:orange",
                 label="attention, n × n form")
    recipe = results["scaling_recipe"]
    left.set(xlabel="seconds of speech (50 frames a second)", ylabel="ms of one thread",
             title=f"one layer, width {recipe['width']}")
    right.set(xlabel="seconds of speech", ylabel="MB added to the peak")
    for axes in (left, right):
        axes.legend(fontsize=8)
        axes.grid(alpha=0.3)
    pictures.save(figure, path, 110)


def plot_replacement(results, path):
    """Error over layers replaced by order, and each layer's MSE beside the damage it does alone."""
    figure, (left, right) = pictures.pyplot().subplots(1, 2, figsize=(10, 4))
    small = [r for r in results["replacement"] if "wer" not in r]
    rows = [r for r in small if r["layers"]]
    base = [r["error"] for r in small if not r["layers"]]
    for order, colour in COLOURS.items():
        chosen = sorted((r["layers"], r["error"]) for r in rows if r["anneal"] and r["adapt"] and
                        r["mixer"] == "pulses" and (r["order"] == order or r["layers"] == 12))
        if all(count == 12 for count, _ in chosen):
            continue  # nothing of this order alone
        points = [(0, e) for e in base] + chosen
        left.plot(*zip(*points, strict=True), "o-", color=colour, label=f"{order} first")
    for r in rows:
        note = ("attention left out" if r["mixer"] == "nothing" else "not annealed" if not r["anneal"] else
                "not adapted" if not r["adapt"] else None)
        if note:
            left.plot(r["layers"], r["error"], "x", color="black")
            left.annotate(note, (r["layers"], r["error"]), textcoords="offset points", xytext=(6, -3), fontsize=7)
    left.set(xlabel="layers replaced, of 12", ylabel="phone error rate, %", title="hard gates, held-out speakers")
    left.legend(fontsize=8)
    swept = results.get("sweep")
    if swept:
        right.loglog(swept["mse"], swept["alone_kl"], "o", color="tab:blue")
        for i, point in enumerate(zip(swept["mse"], swept["alone_kl"], strict=True)):
            right.annotate(str(i), point, textcoords="offset points", xytext=(4, 2), fontsize=8)
        right.set(xlabel="MSE of the layer in the sweep", ylabel="KL from the original, replaced alone",
                  title=f"does the sweep predict it? rank correlation {swept['mse_to_kl']}")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    pictures.save(figure, path, 110)


def trained_together(row):
    """How long and how fast the replaced layers of a row trained together, in words; "" where each trained alone."""
    steps = row["epochs"] * row["steps"]
    return f"{steps} steps at {row['rate']:g}" if steps else ""


def plot_pretrained(results, path):
    """Word error over layers by what stands for attention, and how far from each frame the heads' mass lies."""
    figure, (left, right) = pictures.pyplot().subplots(1, 2, figsize=(11, 4.2))
    rows = [r for r in results["replacement"] if "wer" in r]
    encoders = list(dict.fromkeys(r["encoder"] for r in rows))
    lines = dict.fromkeys((r["encoder"], r["mixer"], trained_together(r)) for r in rows if r["layers"])
    for place, (name, mixer, together) in enumerate(lines):
        points = sorted((r for r in rows if r["encoder"] == name and (not r["layers"] or (
            r["mixer"] == mixer and r["order"] == "easiest" and r.get("anneal") and r.get("adapt")
            and trained_together(r) == together))), key=lambda r: r["layers"])
        if not points[-1]["layers"]:
            continue
        x, y = ([r[figure] for r in points] for figure in ("layers", "wer"))
        spread = [[abs(r["wer"] - r["interval"][side]) for r in points] for side in (0, 1)]
        control = points[-1]["control"]
        left.errorbar(x, y, spread, marker="x" if control else "o", capsize=3, color=f"C{place % 10}",
                      linestyle="--" if control else "-", label=(name.removeprefix("whisper-") + ", " if encoders[1:]
                                                                 else "") + mixer
                      + (f", {together} together" if together else ", layer by layer only"))
    left.set(xlabel="layers replaced, easiest first", ylabel="word error rate, % (interval over speakers)",
             yscale="log", title=f"{' and '.join(encoders)}, test speakers of LibriSpeech")
    left.legend(fontsize=8)
    swept = next((s for s in results["pretrained_sweeps"].values() if "heads" in s), None)
    if swept:
        bands = ("within_2", "within_8", "within_32", "within_128")
        heads = [(f"{i}.{h}", head) for i, layer in enumerate(swept["heads"]) for h, head in enumerate(layer)]
        before = [0.0] * len(heads)
        for shade, band in zip((0.9, 0.7, 0.5, 0.3), bands, strict=True):
            right.bar(range(len(heads)), [head[band] - b for (_, head), b in zip(heads, before, strict=True)],
                      bottom=before, color=(0.1, 0.3, 0.6, shade), label=band.replace("_", " ") + " frames")
            before = [head[band] for _, head in heads]
        right.plot(range(len(heads)), [head["common"] for _, head in heads], "D", color="tab:orange", markersize=4,
                   label="to the same frames whoever asks")
        right.set_xticks(range(len(heads)))
        right.set_xticklabels([name for name, _ in heads], rotation=90, fontsize=7)
        right.set(xlabel="layer.head", ylabel="share of attention's mass", ylim=(0, 1.25),
                  title=f"where heads look, {swept['encoder']}", yticks=(0, 0.25, 0.5, 0.75, 1))
        right.legend(fontsize=7, ncol=2, loc="upper center")
    left.set_xticks(sorted({r["layers"] for r in rows}))
    left.grid(alpha=0.3)
    pictures.save(figure, path, 110)
