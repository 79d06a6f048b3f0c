"""Scores, costs, the integer head, streaming, and the commands on a folder of one's own clips."""

import json

import numpy as np
import pytest
import soundfile
import torch

from hw import config as hw_config
from sw import evaluate, golden, keywords, train
from sw.data.speech_commands import CLASSES, Clip
from sw.keywords import cost, features, head, listen, report, score, spotter, stream, studies, waves
from sw.keywords import evaluate as evaluation
from sw.models.sparknet import SparkNet

torch.set_num_threads(1)  # small sums: threads only wait for each other


def sparknet(seed=0, channels=4):
    torch.manual_seed(seed)
    normaliser = features.Normaliser("mfcc32", torch.zeros(32), torch.full((32,), 5.0))
    return spotter.Spotter("sparknet-4", SparkNet(channels=channels).eval(), normaliser, CLASSES, {})


def test_scores_by_hand():
    # three of a, one heard as b; two of b, both heard; none of c
    clips = [Clip("", label) for label in "aaabb"]
    logits = torch.eye(3)[[0, 0, 1, 1, 1]]
    r = score.measure(logits, clips, "abc")
    assert r["accuracy"] == 80.0 and r["confusion"] == [[2, 1, 0], [0, 2, 0], [0, 0, 0]]
    assert r["per_class"]["a"] == {"clips": 3, "precision": 100.0, "recall": 66.67, "f1": 80.0}
    assert r["per_class"]["b"]["f1"] == 80.0 and "c" not in r["per_class"]
    assert r["macro_f1"] == 80.0
    with pytest.raises(ValueError, match="label 'd'"):
        score.measure(logits[:1], [Clip("", "d")], "abc")


def test_macro_f1_is_the_mean_over_classes():
    rng = np.random.default_rng(0)
    wanted, said = rng.integers(0, 5, 300), rng.integers(0, 5, 300)
    r = score.measure(torch.eye(5)[said], [Clip("", str(w)) for w in wanted], [str(i) for i in range(5)])
    f1 = [2 * np.sum((wanted == k) & (said == k)) / (np.sum(wanted == k) + np.sum(said == k)) for k in range(5)]
    assert r["macro_f1"] == pytest.approx(100 * np.mean(f1), abs=0.01)


def test_cost_of_a_sparknet():
    model = sparknet()
    x = model.hear(torch.randn(4, 16000) * 0.1)
    assert cost.parameters(model) == 1504 and cost.size(model) == 6016 and cost.macs(model, x[:1]) == 96_940
    zeros = 1 - model.network.gates_of(model.network.mu(x)).mean().item()
    assert cost.sparsity(model, x)["gates_zero"] == pytest.approx(zeros, abs=1e-4)
    mean, p95 = cost.latency(model, x, runs=20)
    assert 0 < mean and 0 < p95 and torch.get_num_threads() >= 1


def test_head_by_hand():
    h = head.IntegerHead(torch.tensor([[1, -2], [7, 3], [-8, 0]], dtype=torch.int32),
                         torch.tensor([10, 20], dtype=torch.int32), 0.5, 4)
    gates = torch.tensor([[[1, 1, 0, 0], [0, 1, 0, 0], [1, 1, 1, 1]]])  # open in 2, 1 and 4 frames
    assert h.logits(gates).tolist() == [[2 * 1 + 7 + 4 * -8 + 10, 2 * -2 + 3 + 20]]


def test_head_follows_the_float_head():
    model = sparknet(channels=16)
    gates = (torch.rand(8, 32, 101) < 0.4).int()
    h = head.of_network(model.network, bits=8)
    with torch.no_grad():
        wanted = model.network.readout(gates.float())
    torch.testing.assert_close(h.logits(gates) * h.step / 101, wanted, atol=h.step * 32 / 2, rtol=0)


def test_int4_head_is_scored_in_integers():
    # one clip, one gate that opens in every frame and adds 1 to class 2 and -1 to class 0 there, biases of nothing
    model = sparknet(channels=16)
    network = model.network
    with torch.no_grad():
        network.gating[1].weight.zero_()
        network.gating[1].bias.fill_(-1.0)[3] = 1.0
        network.linear.weight.zero_()
        network.linear.weight[2, 3], network.linear.weight[0, 3] = 0.7, -0.7
        network.linear.bias.zero_()
    gates = head.gates_of(model, torch.randn(2, 16000) * 0.1)
    assert gates.shape == (2, 32, 101) and gates[:, 3].all() and gates.sum() == 2 * 101
    h = head.of_network(network)
    got = h.logits(gates)
    assert got[:, 2].tolist() == [101 * round(0.7 / h.step)] * 2 and (got[:, 0] == -got[:, 2]).all()
    found = waves.Waves([Clip("", CLASSES[2]), Clip("", CLASSES[1])], torch.zeros(2, 16000, dtype=torch.int16), [])
    assert evaluation.figures(model, found, timed=False)["accuracy_int4_head"] == 50.0


@pytest.mark.parametrize("name, steps", [("keywords", 1), ("keywords", 2), ("tiny", 1), ("tiny", 2)])
def test_head_is_a_network_of_the_accelerator(name, steps):
    config = hw_config.load(name)
    generator = torch.Generator().manual_seed(0)
    count = min(32, config.features)
    h = head.IntegerHead(torch.randint(-8, 8, (count, 12), generator=generator, dtype=torch.int32),
                         torch.arange(12, dtype=torch.int32), 1.0, 15)
    gates = (torch.rand(1, count, 15, generator=generator) < 0.4).int()  # an odd number of frames
    model = head.integer_model(h, config, steps)
    trace = golden.run(model, head.features(gates[0], config, steps)[None])
    assert torch.equal(trace.logits.sum(1)[:, :12] + h.bias, h.logits(gates))
    assert int(trace.spikes[:, :, 1].sum()) == int(gates.sum())  # a spike for each open gate, no other
    assert not trace.state[0].any()  # nothing is left to the next frame
    if name == "tiny":
        with pytest.raises(ValueError, match="32 gates"):
            head.integer_model(head.IntegerHead(torch.zeros(32, 12), h.bias, 1.0, 1), config, steps)


class Scripted:
    """A spotter whose posteriors are written down: 90 % for the word of each window."""

    labels = CLASSES

    def __init__(self, words):
        self.words = words

    def posteriors(self, waves):
        heard, self.words = self.words[:len(waves)], self.words[len(waves):]
        rows = torch.full((len(waves), 12), 0.1 / 11)
        for row, word in zip(rows, heard, strict=True):
            row[CLASSES.index(word)] = 0.9
        return rows


def test_detector_by_hand():
    quiet, yes = "_silence_", "yes"
    script = [quiet] * 5 + [yes] * 6 + [quiet] * 20 + [yes] * 2 + [quiet] * 5
    detector = stream.Detector(Scripted(script), threshold=0.6, smooth=4, rest_s=0.8)
    wave = np.zeros(16000 + (len(script) - 1) * 1600, np.float32)
    found = []
    for start in range(0, len(wave), 777):  # pieces of any length
        found += detector.push(wave[start:start + 777])
    # windows end at 1.0, 1.1, ...; the eighth (1.7 s) is the third yes, mean (3 x 0.9 + 0.009) / 4 = 0.68
    assert [(d.time_s, d.label) for d in found] == [(1.7, "yes")]  # two windows of yes are not enough the second time
    assert found[0].score == pytest.approx(0.677, abs=0.001)
    with pytest.raises(ValueError, match="threshold=1.5"):
        stream.Detector(None, threshold=1.5)


def test_hits_and_false_alarms_by_hand():
    found = [stream.Detection(t, w, 0.9) for t, w in ((1.5, "yes"), (1.6, "yes"), (5.0, "no"), (9.0, "go"))]
    r = stream.rate(found, [(1.0, 2.0, "yes"), (4.5, 5.5, "no"), (7.0, 7.5, "go"), (20, 21, "up")], 1800)
    assert (r["hits"], r["false_alarms"], r["words"]) == (2, 2, 4)  # yes once, go too late
    assert r["hit_rate"] == 50.0 and r["false_alarms_per_hour"] == 4.0


def test_pruned_gates_stay_closed():
    model = sparknet(channels=8)
    pruned = studies.keep_gates(model, 8)
    gates = pruned.network.gates_of(pruned.network.mu(torch.randn(2, 32, 101) * 5))
    closed = pruned.network.linear.weight.abs().sum(0) == 0
    assert int(closed.sum()) == 24 and not gates[:, closed].any() and model.network.linear.weight.abs().sum(0).min() > 0


@pytest.fixture
def own(tmp_path):
    """A folder of one's own clips: short, long, 8 kHz, silent and corrupt ones among them; and a model."""
    rng = np.random.default_rng(0)
    rows = []
    for name, seconds, rate in (("a", 1.0, 16000), ("b", 0.4, 16000), ("c", 2.5, 16000), ("d", 1.0, 8000)):
        soundfile.write(tmp_path / f"{name}.wav", rng.standard_normal(int(seconds * rate)) * 0.1, rate)
        rows.append(f"{name}.wav,yes")
    soundfile.write(tmp_path / "silent.wav", np.zeros(16000), 16000)
    (tmp_path / "corrupt.wav").write_bytes(b"not a wave")
    rows += ["silent.wav,_silence_", "corrupt.wav,no"]
    (tmp_path / "manifest.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    sparknet().save(tmp_path / "model")
    return tmp_path


def test_evaluate_names_odd_clips(own, capsys, monkeypatch):
    monkeypatch.chdir(own)
    status = evaluate.main(["--model", str(own / "model"), "--data", str(own), "--json", "r.json", "--quiet",
                            "--snr", "5", "--kinds", "white"])
    text = capsys.readouterr().out
    assert status == 0, text
    for said in ("b.wav: 0.40 s: filled up", "c.wav: 2.50 s: its loudest", "silent.wav: silent",
                 "corrupt.wav: not readable", "5 clips", "1,504", "4-bit head", "white 5 dB", "not to be compared"):
        assert said in text, text
    r = json.loads((own / "r.json").read_text())
    assert 0 <= r["accuracy_int4_head"] <= 100
    assert r["clips"] == 5 and len(r["problems"]) == 4 and sum(map(sum, r["confusion"])) == 5
    assert (own / "build" / "keywords" / "sparknet-4.png").stat().st_size > 1000


def test_commands_refuse_in_one_line(own, capsys):
    assert evaluate.main(["--model", "sparknet-32", "--data", str(own / "none")]) == 1
    assert train.main(["--model", "sparknet-32", "--data", str(own / "none"), "--quiet"]) == 1
    assert listen.main([str(own / "none.wav"), "--model", str(own / "model")]) == 1
    assert listen.main([str(own / "a.wav"), "--model", str(own / "model"), "--threshold", "2"]) == 1
    errors = capsys.readouterr().err.strip().splitlines()
    assert len(errors) == 4 and all(line.startswith("error: ") for line in errors)
    assert "threshold=2" in errors[3] and "none.wav: no such audio file" in errors[2]


def test_training_ends_in_a_model_and_resumes(own, capsys, monkeypatch):
    monkeypatch.chdir(own)
    rows = [f"{n}.wav,{'yes' if n in 'ab' else 'no'},{n},{'train' if n in 'abc' else 'dev'}" for n in "abcd"]
    (own / "manifest.csv").write_text("path,label,speaker,split\n" + "\n".join(rows * 6) + "\n")
    command = ["--model", "sparknet-4", "--data", str(own), "--noise", "", "--epochs", "2", "--quiet", "--out", "run",
               "--export", "kept"]
    assert train.main(command) == 0
    first = spotter.load(own / "kept")
    assert first.labels == CLASSES and first.manifest["recipe"]["clips"] == 18
    assert train.main(command) == 0  # finished: loaded, not trained again
    assert spotter.load(own / "kept").manifest["sha256"] == first.manifest["sha256"]
    assert "held-out clips" in capsys.readouterr().out


@pytest.mark.parametrize("study, names", [("noise", ["gaussian", "uniform", "laplace"]),
                                          ("bins", ["16 bins", "32 bins", "64 bins"])])
def test_a_study_is_one_command(own, monkeypatch, study, names):
    monkeypatch.chdir(own)
    rows = [f"{n}.wav,{'yes' if n in 'ab' else 'no'},{n},{'train' if n in 'abc' else 'dev'}" for n in "abcd"]
    (own / "manifest.csv").write_text("path,label,speaker,split\n" + "\n".join(rows * 6) + "\n")
    assert studies.main([study, "--data", str(own), "--noise", "", "--epochs", "1", "--variants", "1", "--seeds", "2",
                         "--quiet", "--json", "s.json", "--picture", "s.png"]) == 0
    result = json.loads((own / "s.json").read_text())
    assert [(r["name"], r["seed"]) for r in result["rows"]] == [(n, seed) for n in names for seed in (0, 1)]
    assert all(0 <= r["gates_zero"] <= 1 and r["clips"] == 6 for r in result["rows"])
    assert result["size"]["epochs"] == 1 and (own / "s.png").stat().st_size > 1000


def test_listen_to_a_file(own, capsys):
    (own / "truth.csv").write_text("start,end,label\n0.1,0.9,yes\n")
    assert listen.main([str(own / "c.wav"), "--model", str(own / "model"), "--truth", str(own / "truth.csv")]) == 0
    assert "'words': 1" in capsys.readouterr().out
    (own / "truth.csv").write_text("start,stop\n1,2\n")
    assert listen.main([str(own / "c.wav"), "--model", str(own / "model"), "--truth", str(own / "truth.csv")]) == 1
    assert "wanted columns start, end" in capsys.readouterr().err


def test_keyword_models_are_told_from_recognisers(own):
    names = ("tiny-kws",)
    assert keywords.asked_for(["--model", "tiny-kws"], names) and keywords.asked_for(["--model=tiny-kws"], names)
    assert not keywords.asked_for(["--model", "rsnn"], names) and not keywords.asked_for(["--data", "tiny-kws"], names)
    assert keywords.asked_for(["--model", str(own / "model")], names)


def test_report_finds_what_holds_of_the_papers():
    made = {"sparknet-32": (90, 1066944), "sparknet-16": (86, 396304), "bcresnet-1": (84, 2482156)}
    rows = [{"model": n, "accuracy": a + d, "macs": m} for n, (a, m) in made.items() for d in (-1, 1)]
    held = report.against_published(rows)
    assert held["rank_correlation"] == 0.5  # published 97.0, 95.7, 96.9: the last two change places
    pair, smallest = held["macs"]
    assert (pair["model"], pair["beside"], pair["ratio"], pair["published_ratio"]) == (
        "sparknet-32", "bcresnet-1", 0.43, 0.333)
    assert smallest["model"] == "sparknet-16" and smallest["ratio"] == 0.16 and smallest["accuracy"] == [86, 84]
    rows[4]["accuracy"] = rows[5]["accuracy"] = 95
    assert report.against_published(rows)["macs"][1]["model"] is None
