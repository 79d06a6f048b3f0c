"""Scores, costs, the integer head, and the commands on a folder of one's own clips."""

import json
import time

import numpy as np
import pytest
import soundfile
import torch

from hw import config as hw_config
from sottovoce import cli
from sw import golden
from sw.data.speech_commands import CLASSES, Clip
from sw.data.utterance import DataError
from sw.keywords import cost, frontends, head, score, spotter, studies, study_strangers, waves
from sw.keywords import evaluate as evaluation
from sw.models.sparknet import SparkNet

torch.set_num_threads(1)  # small sums: threads only wait for each other


def sparknet(seed=0, channels=4):
    torch.manual_seed(seed)
    normaliser = frontends.Normaliser("mfcc32", torch.zeros(32), torch.full((32,), 5.0))
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
    sound = torch.randn(4, 16000) * torch.tensor([0.001, 0.01, 0.1, 0.3])[:, None]
    x = model.hear(sound)
    assert cost.parameters(model) == 1504 and cost.size(model) == 6016 and cost.macs(model, x[:1]) == 96_940
    zeros = 1 - model.network.gates_of(model.network.mu(x)).mean().item()
    assert cost.sparsity(model, sound, batch=3)["gates_zero"] == pytest.approx(zeros, abs=1e-4)


def test_latency_is_the_time_of_one_clip_on_one_thread():
    class Busy(torch.nn.Module):
        """Takes 1 ms, and 5 ms every tenth time."""

        count = 0

        def forward(self, x):
            assert len(x) == 1 and torch.get_num_threads() == 1
            self.count += 1
            start = time.thread_time()
            while time.thread_time() - start < (0.005 if self.count % 10 == 0 else 0.001):
                pass

    busy = spotter.Spotter("busy", Busy(), None, CLASSES)
    mean, p95 = cost.latency(busy, torch.zeros(3, 1, 1), runs=40)
    assert mean == pytest.approx(1.4, abs=0.3) and p95 == pytest.approx(5, abs=0.5)
    assert busy.network.count == 50  # ten to warm up


def test_head_by_hand():
    h = head.IntegerHead(torch.tensor([[1, -2], [7, 3], [-8, 0]], dtype=torch.int32),
                         torch.tensor([10, 20], dtype=torch.int32), 0.5, 4)
    gates = torch.tensor([[[1, 1, 0, 0], [0, 1, 0, 0], [1, 1, 1, 1]]])  # open in 2, 1 and 4 frames
    assert h.logits(gates).tolist() == [[2 * 1 + 7 + 4 * -8 + 10, 2 * -2 + 3 + 20]]


def test_head_follows_the_float_head():
    model = sparknet(channels=16)
    gates = (torch.rand(8, 32, 101) < 0.4).int()
    h = head.of_network(model.network, 101, bits=8)
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
    h = head.of_network(network, 101)
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
    assert not any(u.any() for u in trace.state.potentials)  # nothing is left to the next frame
    if name == "tiny":
        with pytest.raises(ValueError, match="32 gates"):
            head.integer_model(head.IntegerHead(torch.zeros(32, 12), h.bias, 1.0, 1), config, steps)


def test_pruned_gates_are_gone():
    model = sparknet(channels=8)
    whole = model.network
    with torch.no_grad():
        whole.linear.weight[:, 8:] *= 1e-3  # the first eight matter most
    pruned = studies.keep_gates(model, 8)
    x = torch.randn(2, 32, 101) * 5
    with torch.no_grad():
        gates = whole.gates_of(whole.mu(x))
        gates[:, 8:] = 0
        torch.testing.assert_close(pruned.network(x), whole.readout(gates))
    assert cost.parameters(pruned) == cost.parameters(model) - 24 * (8 + 1 + 2 + 12)
    assert cost.macs(pruned, x[:1]) == cost.macs(model, x[:1]) - 24 * (8 * 101 + 12)


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
    status = cli.main(["evaluate", str(own / "model"), "--data", str(own), "--json", "r.json", "--quiet",
                       "--snr", "5", "--kinds", "white"])
    text = capsys.readouterr().out
    assert status == 0, text
    for said in ("b.wav: 0.40 s: filled up", "c.wav: 2.50 s: its loudest", "silent.wav: silent",
                 "corrupt.wav: not readable", "5 clips", "1,504", "4-bit head", "white 5 dB",
                 "comparable with published"):
        assert said in text, text
    r = json.loads((own / "r.json").read_text())
    assert 0 <= r["accuracy_int4_head"] <= 100
    assert r["clips"] == 5 and len(r["problems"]) == 4 and sum(map(sum, r["confusion"])) == 5
    assert (own / "build" / "keywords" / "sparknet-4.png").stat().st_size > 1000


def test_commands_refuse_in_one_line(own, capsys):
    assert cli.main(["evaluate", "sparknet-32", "--data", str(own / "none")]) == 1
    assert cli.main(["evaluate", "sparknet-32", "--data", str(own), "--kinds", "pink"]) == 1
    assert cli.main(["train", "sparknet-32", "--data", str(own / "none"), "--quiet"]) == 1
    errors = capsys.readouterr().err.strip().splitlines()
    assert len(errors) == 3 and all(line.startswith("error: ") for line in errors) and "--snr" in errors[1]
    for option in ("--threads", "--epochs"):
        with pytest.raises(SystemExit):
            cli.main(["train", "sparknet-32", option, "0"])


def test_words_that_a_model_does_not_know_are_named(own, capsys, monkeypatch):
    monkeypatch.chdir(own)
    few = sparknet()
    few.labels = ("go", "no", *[f"word{i}" for i in range(10)])  # of words only, as with 35 classes
    few.save(own / "few")
    (own / "manifest.csv").write_text("path,label\na.wav,No\nb.wav,yes\nd.wav,yes\n")
    command = [str(own / "few"), "--data", str(own), "--json", "new/r.json", "--quiet"]
    assert cli.main(["evaluate", *command]) == 0
    assert "left out, unknown to sparknet-4: 2 clips labelled 'yes'" in capsys.readouterr().out
    assert json.loads((own / "new" / "r.json").read_text())["clips"] == 1
    (own / "manifest.csv").write_text("path,label\nb.wav,yes\n")
    assert cli.main(["evaluate", *command]) == 1
    assert "no clip has a label that sparknet-4 knows: go, no, word0" in capsys.readouterr().err


def test_training_ends_in_a_model_and_resumes(own, capsys, monkeypatch):
    monkeypatch.chdir(own)
    rows = [f"{n}.wav,{'yes' if n in 'ab' else 'no'},{n},{'train' if n in 'abc' else 'dev'}" for n in "abcd"]
    (own / "manifest.csv").write_text("path,label,speaker,split\n" + "\n".join(rows * 6) + "\n")
    command = ["sparknet-4", "--data", str(own), "--noise", "", "--epochs", "2", "--quiet", "--out", "run",
               "--export", "kept"]
    assert cli.main(["train", *command]) == 0
    first = spotter.load(own / "kept")
    assert first.labels == CLASSES and first.manifest["recipe"]["clips"] == 18
    assert cli.main(["train", *command]) == 0  # finished: loaded, not trained again
    assert spotter.load(own / "kept").manifest["sha256"] == first.manifest["sha256"]
    assert "held-out clips" in capsys.readouterr().out


@pytest.mark.parametrize("study, names", [("noise", ["gaussian", "uniform", "laplace"]),
                                          ("bins", ["16 bins", "32 bins", "64 bins"])])
def test_a_study_is_one_command(own, monkeypatch, study, names):
    monkeypatch.chdir(own)
    rows = [f"{n}.wav,{'yes' if n in 'ab' else 'no'},{n},{'train' if n in 'abc' else 'dev'}" for n in "abcd"]
    (own / "manifest.csv").write_text("path,label,speaker,split\n" + "\n".join(rows * 6) + "\n")
    assert cli.main(["study", study, "--data", str(own), "--noise", "", "--epochs", "1", "--variants", "1",
                     "--seeds", "2", "--quiet"]) == 0
    left = own / "build" / "results"
    result = json.loads((left / f"keywords-{study}.json").read_text())
    assert [(r["name"], r["seed"]) for r in result["rows"]] == [(n, seed) for n in names for seed in (0, 1)]
    assert all(0 <= r["gates_zero"] <= 1 and r["clips"] == 6 for r in result["rows"])
    assert result["size"]["epochs"] == 1 and (left / f"keywords-{study}.png").stat().st_size > 1000


def test_a_bad_place_for_the_figures_is_known_before_the_work(own, capsys, monkeypatch):
    monkeypatch.chdir(own)
    monkeypatch.setattr(waves, "gather", lambda *a, **k: pytest.fail("clips were read first"))
    assert cli.main(["evaluate", str(own / "model"), "--data", str(own), "--json", str(own / "a.wav" / "r.json")]) == 1
    assert "a.wav/r.json: its folder cannot be made" in capsys.readouterr().err
    assert cli.main(["evaluate", str(own / "model"), "--data", str(own), "--json", str(own)]) == 1
    assert "is a folder; name a file" in capsys.readouterr().err


def test_strangers_are_every_word_by_every_voice_in_a_second():
    pytest.importorskip("espeakng_loader")
    found = study_strangers.clips(("en-us", "en-us+f2"))
    assert len(found.clips) == 2 * len(study_strangers.SPEEDS) * 20 == len(found.samples)
    assert sum(c.label == "_unknown_" for c in found.clips) == len(found.clips) // 2
    peaks = found.samples.abs().max(1)[0] / 32768
    assert (peaks > 0.29).all() and (peaks < 0.31).all()
    with pytest.raises(DataError, match="no such voice"):
        study_strangers.clips(("nobody",))
