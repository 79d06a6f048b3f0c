"""Authors' recipes: what they say, how they disturb clips, that they run; MACs by their rule; the best epoch."""

import json
import math

import numpy as np
import pytest
import soundfile
import torch

from sottovoce import cli
from sw.data.speech_commands import CLASSES
from sw.keywords import authors, cost, frontends, keyword_task, recipes, spotter
from sw.training import trainer

torch.set_num_threads(1)  # small sums: threads only wait for each other


def test_recipes_are_the_authors():
    spark, broadcast, tiny = (recipes.find(name, "authors") for name in ("sparknet-16", "bcresnet-1", "tiny-kws"))
    assert (spark.rate, spark.scale, spark.sparsity, spark.decay, spark.batch, spark.epochs, spark.best) == (
        0.01, 100.0, 1.0, 1e-3, 128, 200, "loss")
    assert spark.build().gate == "relaxed" and recipes.find("sparknet-16").build().gate == "binary"
    schedule = [trainer.hold_decay(done) for done in (0.05, 0.45, 0.725, 1.0)]  # hold 40 % after 5 %, then a square
    assert schedule == pytest.approx([1, 1, 0.25, 0]) and spark.schedule == "hold_decay" and spark.warm == 0.05
    assert (broadcast.rate, broadcast.decay, broadcast.batch, broadcast.epochs) == (0.1, 1e-3, 100, 200)
    assert broadcast.warm * broadcast.epochs == 5 and broadcast.schedule == "cosine_to_zero"
    assert (tiny.rate, tiny.decay, tiny.batch, tiny.epochs, tiny.best) == (3e-3, 1e-4, 128, 30, "accuracy")
    assert all(r.move == 0 and not r.clip and r.by == "authors" for r in (spark, broadcast, tiny))
    with pytest.raises(ValueError, match="rsnn-keywords is ours"):
        recipes.find("rsnn-keywords", "authors")
    ours = recipes.find("sparknet-16").values()
    assert "by" not in ours and spark.values()["by"] == "authors"  # runs of before resume


def test_loss_is_a_hundred_times_the_entropy_and_the_sparsity():
    torch.manual_seed(0)
    batch = torch.randn(4, 32, 101), torch.tensor([0, 1, 2, 3])
    recipe = recipes.find("sparknet-4", "authors")
    model, values = recipe.build().eval(), []
    for sparsity in (0.0, 1.0):
        loss = keyword_task.loss_of(recipes.changed(recipe, sparsity=sparsity))
        value, metrics = loss(model, batch)
        values.append(value.item())
    entropy = torch.nn.functional.cross_entropy(model(batch[0]), batch[1]).item()
    assert values[0] == pytest.approx(100 * entropy, rel=1e-5)
    assert values[1] - values[0] == pytest.approx(metrics["open"], abs=1e-3)


def test_clips_are_disturbed_as_theirs():
    wave = np.zeros(16000, np.float32)
    wave[8000] = 0.5
    hum = [np.ones(16000, np.float32)]
    found = {name: [how(wave, hum, np.random.default_rng(i)) for i in range(400)]
             for name, how in authors.DISTURBED.items()}
    moves = {name: np.array([w.argmax() - 8000 for w in waves]) for name, waves in found.items()}
    rest = {name: np.array([np.median(w) for w in waves]) for name, waves in found.items()}
    assert all(np.abs(m).max() <= 1600 for m in moves.values())
    assert np.mean(moves["sparknet"] != 0) == pytest.approx(0.8, abs=0.06)
    assert np.mean(moves["bcresnet"] != 0) == pytest.approx(0.2, abs=0.06)
    assert np.mean(moves["tiny-kws"] != 0) > 0.99
    assert np.mean(rest["bcresnet"] > 0) == pytest.approx(0.2, abs=0.06) and rest["bcresnet"].max() <= 0.1
    assert np.mean(rest["tiny-kws"] > 0) == pytest.approx(0.8, abs=0.06) and rest["tiny-kws"].max() <= 0.1
    levels = np.array([w[:4000].std() for w in found["sparknet"]])
    assert np.mean(levels > 0) == pytest.approx(0.8, abs=0.06)
    decibels = 20 * np.log10(levels[levels > 0])
    assert decibels.min() > -91 and decibels.max() < -45 and np.abs(rest["sparknet"]).max() < 0.001
    again = authors.sparknet(wave, hum, np.random.default_rng(3))
    assert np.array_equal(again, found["sparknet"][3])


@pytest.mark.parametrize(("name", "bins", "published"), [
    ("sparknet-32", 32, 1_170_368), ("sparknet-16", 32, 454_480), ("sparknet-8", 32, 212_888),
    ("sparknet-4", 32, 121_180), ("bcresnet-1", 40, 3_633_588), ("bcresnet-0.625", 40, 1_949_560)])
def test_macs_by_the_published_rule(name, bins, published):
    """454,480 and 1.17 M, 3.63 M and 1.95 M as published; 212,888 and 121,180 are not (190 k and 105 k)."""
    torch.manual_seed(0)
    model = spotter.Spotter(name, recipes.find(name).build().eval(), None, CLASSES, {})
    x = torch.randn(1, bins, 101)
    assert cost.macs_published_rule(model, x) == published
    assert not any(m._forward_hooks for m in model.network.modules())


class Walk(torch.nn.Module):
    """Goes one step a batch, whatever it is given."""

    def __init__(self):
        super().__init__()
        self.sizes, self.place = {}, torch.nn.Parameter(torch.zeros(1))


@pytest.mark.parametrize("cut", [None, 3])
def test_the_best_epoch_is_kept_and_resumes(tmp_path, cut):
    model, seen = Walk(), []

    def judge(walked):
        seen.append(walked.place.item())
        return abs(walked.place.item() - 2.0)

    def given(epoch):
        if epoch == cut and len(seen) == cut:
            raise KeyboardInterrupt
        return [torch.zeros(1)]
    options = dict(epochs=5, rate=1.0, seed=0, recipe={}, quiet=True, judge=judge, warm=0.0, decay=0.0,
                   optimise=lambda m, rate, decay: torch.optim.SGD(m.parameters(), rate), schedule=lambda done: 1.0)

    def walk(walked, batch):
        return -walked.place.sum(), {}
    if cut:
        with pytest.raises(KeyboardInterrupt):
            trainer.fit(model, given, walk, tmp_path, **options)
        model = Walk()
        seen.append(None)
    trainer.fit(model, given, walk, tmp_path, **options)
    assert model.place.item() == pytest.approx(2.0) and [s for s in seen if s] == pytest.approx([1, 2, 3, 4, 5])
    assert not model.training and trainer.cosine_to_zero(1.0) == 0 and trainer.cosine_to_zero(0.5) == 0.5


def test_mixed_precision_is_bfloat16(tmp_path):
    model, kinds = torch.nn.Linear(3, 2), []
    model.sizes = {}

    def loss(m, x):
        y = m(x)
        kinds.append(y.dtype)
        return y.float().square().mean(), {}
    for mixed in (False, True):
        trainer.fit(model, lambda epoch: [torch.randn(4, 3)], loss, tmp_path / str(mixed), epochs=1, rate=0.1, seed=0,
                    recipe={}, quiet=True, mixed=mixed)
    assert kinds == [torch.float32, torch.bfloat16] and model.weight.dtype == torch.float32


def test_batches_go_where_they_train():
    batch = torch.zeros(2), (torch.ones(1), "name")
    moved = trainer.moved(batch, "meta")
    assert moved[0].device.type == "meta" and moved[1][0].device.type == "meta" and moved[1][1] == "name"


@pytest.mark.parametrize("name", ["sparknet-4", "tiny-kws"])
def test_authors_recipe_trains_by_its_command(name, tmp_path, capsys, monkeypatch):
    """Small: two epochs of 40 clips of eight speakers; some of these judge the epochs, two workers."""
    monkeypatch.chdir(tmp_path)
    lines = ["path,label,speaker,split"]
    for i in range(40):
        wave = 0.2 * np.sin(np.arange(16000) * (0.1 if i % 2 else 0.3)).astype(np.float32)
        soundfile.write(tmp_path / f"{i}.wav", wave, 16000)
        lines.append(f"{i}.wav,{('yes', 'no')[i % 2]},s{i % 8},{'dev' if i % 8 == 7 else 'train'}")
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr("sw.keywords.teaching.chosen_on", lambda clips: [c.speaker == "s0" for c in clips])
    command = ["train", name, "--data", str(tmp_path), "--noise", "", "--epochs", "2", "--recipe", "authors",
               "--workers", "2", "--device", "cpu"]
    assert cli.main(command) == 0
    said = capsys.readouterr().out
    assert "h of training, 2 steps on cpu" in said and "held-out clips" in said
    run = tmp_path / "build" / "runs" / "keywords-authors" / f"{name}-0"
    recipe = spotter.load(run / "model").manifest["recipe"]
    assert recipe["by"] == "authors" and recipe["clips"] == 30 and recipe["variants"] == 33
    curve = (run / "curve.csv").read_text().splitlines()
    assert curve[0].endswith(",judged") and all(math.isfinite(float(line.rsplit(",", 1)[1])) for line in curve[1:])
    assert cli.main([*command, "--device", "nowhere"]) == 1
    assert "--device nowhere: " in capsys.readouterr().err
    assert cli.main([*command, "--mixed"]) == 1
    assert "--mixed: convolutions in bfloat16 take longer on a CPU" in capsys.readouterr().err


def test_difference_of_two_spotters_by_hand():
    from sw.data.speech_commands import Clip
    from sw.keywords import keyword_report

    def answering(right):
        logits = torch.eye(2)[[0 if r else 1 for r in right]]
        return type("S", (), {"labels": ("yes", "no"), "logits": lambda self, waves: logits})()
    held = type("W", (), {"clips": [Clip("", "yes", speaker=s) for s in "aabb"], "floats": lambda self: None})()
    found = keyword_report.differences({"sparknet-32": answering([1, 1, 0, 0]), "bcresnet-1": answering([1, 1, 1, 1]),
                                        "tiny-kws": None}, held)
    assert found == [{"model": "sparknet-32", "beside": "bcresnet-1", "points": -50.0, "interval": [-100.0, 0.0]}]


def test_threads_make_the_same_features(tmp_path):
    class Clips:
        samples = torch.randint(-9000, 9000, (130, 16000), dtype=torch.int16)
        clips = [None] * 130

        def floats(self, rows=slice(None)):
            return self.samples[rows].float() / 32768
    one, two = (frontends.variants(Clips(), "mfcc32", 2, cache=tmp_path / str(n), quiet=True, as_in="sparknet",
                                   workers=n) for n in (1, 3))
    assert np.array_equal(one, two) and not np.array_equal(one[0], one[1])


def test_committed_models_take_their_runs_places(tmp_path, monkeypatch, capsys):
    """Rows of before keep their order; a committed model's is scored anew, with an interval; MACs by both rules."""
    from sw.keywords import keyword_report
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "build" / "results"
    place.mkdir(parents=True)
    before = [{"model": "sparknet-4", "seed": s, "accuracy": 60.0, "macs": 1, "parameters": 1, "bytes": 1,
               "macro_f1": 1.0, "accuracy_spoken": 1.0, "accuracy_5db": 1.0, "latency_ms": 1.0, "latency_p95_ms": 1.0}
              for s in (0, 1)]
    (place / "keywords.json").write_text(json.dumps({"rows": before}))
    scored = {**before[0], "accuracy": 70.0, "interval": [50.0, 80.0], "recipe": "ours", "macs_published_rule": 9}
    monkeypatch.setattr(keyword_report.registry, "names", lambda *a: ["sparknet-4"])
    monkeypatch.setattr(keyword_report.spotter, "load", lambda folder: type("M", (), {"name": "sparknet-4"}))
    monkeypatch.setattr(keyword_report, "row", lambda *a: {**scored, "latency_ms": 7.0})
    monkeypatch.setattr(keyword_report, "differences", lambda models, held: sorted(models))
    monkeypatch.setattr(keyword_report.train, "gather", lambda *a, **k: [type("W", (), {"of": lambda s, n: None})()])
    monkeypatch.setattr(keyword_report.noise, "source", lambda *a: None)
    assert cli.main(["keyword-report", "--committed", "--data", str(tmp_path)]) == 0
    kept = json.loads((place / "keywords.json").read_text())
    rows = kept["rows"]
    assert kept["against_published"]["differences"] == ["sparknet-4"] and rows[0]["latency_ms"] == 1.0
    assert [(r["seed"], r["accuracy"], r["recipe"], r["macs_published_rule"]) for r in rows] == [
        (0, 70.0, "ours", 9), (1, 60.0, "ours", 9)]


def test_authors_rows_stand_beside_ours():
    """Each recipe has its own line, seeds apart; what is set against the published order is the better of both."""
    from sw.keywords import keyword_report

    def scored(by, accuracy, seed):
        return {"model": "sparknet-4", "seed": seed, "accuracy": accuracy, "macs": 1, "parameters": 1, "bytes": 1,
                "macro_f1": 1.0, "accuracy_spoken": 1.0, "accuracy_5db": 1.0, "latency_ms": 1.0, "latency_p95_ms": 1.0,
                "recipe": by, "epochs": 200}
    rows = [scored("ours", 60.0, 0), scored("ours", 62.0, 1), scored("authors", 70.0, 0)]
    lines = keyword_report.table(rows).splitlines()[2:]
    assert [line.split("|")[1].strip() for line in lines] == [
        "sparknet-4", "sparknet-4, authors' recipe, 200 epochs, 1 seed"]
    assert "| 61.0 ± 1.4 |" in lines[0] and "| 70.0 |" in lines[1]
    assert keyword_report.means(rows)["sparknet-4"][0] == 70.0
    assert keyword_report.means([*rows[:2], scored("authors", 50.0, 0)])["sparknet-4"][0] == 61.0
