"""Figures of recognition: phones, keywords, and how sparse the networks are."""

from statistics import mean, stdev

from cosim.report.figures import Bar, plain

PHONE_ERROR = 22.6  # arXiv 2503.21337, on TIMIT, quantised and pruned
ZERO_BITS, ZERO_SPIKES = 57, (60, 71)  # per cent, the same
PHONES = "sottovoce training-report --runs build/runs --tune --publish"
KEYWORDS = "sottovoce keyword-report --publish"
NAMES = {"rsnn": "this network, as it runs on the chip", "gru": "GRU of its size", "lstm": "LSTM of its size"}


def _spread(values):
    return f"{mean(values):.1f}" + (f" ± {stdev(values):.1f}" if len(values) > 1 else "")


def _grouped(rows, key):
    groups = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def _phone_rows(results):
    """Finished recognisers of the published shape: the chip's arithmetic, and the gated ones beside it."""
    rows = results.need("training.json", "rows", PHONES)
    return [r for r in rows if r["config"] == "paper" and r["stage"] in ("final", "gru", "lstm")]


def _phones_made(results):
    commands = results.of("training.json").get("commands", {})
    return results.made("training.json", command=commands.get("paper, context", PHONES), config="paper",
                        data="a twelve-speaker sample of TIMIT, speakers held out, folds in turn",
                        note="the published figure is on all of TIMIT: they cannot be compared with each other")


def phones(results):
    """Phone error by network, folds averaged."""
    found = []
    for model, rows in _grouped(_phone_rows(results), lambda r: r["model"]).items():
        errors = [row["per"] for row in rows]
        found.append((NAMES.get(model, model), Bar(mean(errors), f"{_spread(errors)} %", 100,
                                                   PHONE_ERROR if model == "rsnn" else None),
                      f"{PHONE_ERROR} %" if model == "rsnn" else "–", len(rows)))
    return {"head": ("network", "phone error, lower is better", "published", "folds"), "rows": tuple(found),
            "made": (_phones_made(results),)}


def keywords(results):
    """Accuracy by model, seeds averaged."""
    groups = _grouped(results.need("keywords.json", "rows", KEYWORDS), lambda r: r["model"])
    published = {row["model"]: row["accuracy"] for row in results.of("keywords.json").get("published", [])}
    found = []
    for model, rows in sorted(groups.items(), key=lambda item: -mean(r["accuracy"] for r in item[1])):
        values = [row["accuracy"] for row in rows]
        found.append((model, Bar(mean(values), f"{_spread(values)} %", 100, published.get(model)),
                      f"{published[model]} %" if model in published else "–", plain(rows[0]["parameters"]), len(rows)))
    return {"head": ("model", "accuracy, higher is better", "published", "parameters", "seeds"), "rows": tuple(found),
            "made": (results.made("keywords.json", command=KEYWORDS,
                                  data="12 classes, a sample of Speech Commands v2"),)}


def sparsity(results):
    """Zeros among digits of the features and among spikes."""
    found, made = [], []
    rows = [r for r in _phone_rows(results) if r.get("spike_sparsity")]
    bits = [100 * r["bit_sparsity"] for r in rows]
    found.append(("digits of the features", Bar(mean(bits), f"{mean(bits):.1f} %", 100, ZERO_BITS), f"{ZERO_BITS} %"))
    for layer in range(len(rows[0]["spike_sparsity"])):
        zeros = [100 * r["spike_sparsity"][layer] for r in rows]
        found.append((f"spikes of layer {layer}, phones", Bar(mean(zeros), f"{mean(zeros):.1f} %", 100, ZERO_SPIKES[1]),
                      "{} to {} %".format(*ZERO_SPIKES)))
    made.append(_phones_made(results))
    spoken = _grouped([r for r in results.of("keywords.json").get("rows", [])
                       if r.get("spikes_zero") or r.get("gates_zero")], lambda r: r["model"])
    for model, rows in spoken.items():
        for what, key in (("spikes", "spikes_zero"), ("gates", "gates_zero")):
            given = [r[key] for r in rows if r.get(key) is not None]
            layers = list(zip(*(g if isinstance(g, list) else [g] for g in given), strict=True)) if given else []
            for layer, values in enumerate(layers):
                place = f" of layer {layer}" if len(layers) > 1 else ""
                value = 100 * mean(values)
                found.append((f"{what}{place}, {model}", Bar(value, f"{value:.1f} %", 100), "–"))
    if spoken:
        made.append(results.made("keywords.json", command=KEYWORDS))
    return {"head": ("what is zero", "share of zeros, higher is less work", "published"), "rows": tuple(found),
            "made": tuple(made)}
