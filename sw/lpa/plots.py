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
    rows = [r for r in results["replacement"] if r["layers"]]
    base = [r["error"] for r in results["replacement"] if not r["layers"]]
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
