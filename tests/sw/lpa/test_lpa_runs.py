"""The sweep, the replacement and the report on an untrained encoder of two layers and made-up features."""

import json

import numpy as np
import pytest
import soundfile
import torch

pytest.importorskip("transformers", reason="transformers is not installed: the lpa extra brings it")

from sottovoce import cli  # noqa: E402
from sw.data.phones import PHONES  # noqa: E402
from sw.lpa import ctc_task, encoder, replace, scaling, sweep  # noqa: E402
from sw.lpa.mixing import COLDEST, Yardstick, array_cycles, relative_error, set_gates, temperature_at  # noqa: E402
from sw.lpa.replace import Row  # noqa: E402


class Work:
    """A `CtcTask` with random features: two batches an epoch, three recordings held out."""

    class split:
        name = "made up"

    def __init__(self):
        torch.manual_seed(0)
        self.held = [torch.randint(-60, 60, (frames, 40)).float().numpy() for frames in (50, 41, 60)]
        self.references = [(["sil", "aa", "sil"], True)] * 3
        states = torch.arange(60) // 8 % 120
        self.stretches = [(torch.randint(-60, 60, (frames, 40)).float().numpy(), states[:frames].numpy())
                          for frames in (60, 48, 57, 60)]

    def batches(self, seed, frames=0):
        return lambda epoch: [ctc_task.Batch(self.stretches[:2]), ctc_task.Batch(self.stretches[2:])]

    held_batches, judge = ctc_task.CtcTask.held_batches, ctc_task.CtcTask.judge


@pytest.fixture(scope="module")
def teacher():
    return encoder.small(hidden=24, layers=2, heads=2, feed_forward=32).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def work():
    return Work()


@pytest.fixture(scope="module")
def swept(teacher, work, tmp_path_factory):
    """Folder of a sweep that has run by its own command's code."""
    folder = tmp_path_factory.mktemp("sweep")
    args = cli.parsed("lpa-sweep", ["--out", str(folder), "--epochs", "2", "--steps", "2", "--quiet"])[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "original", lambda args: (teacher, work))
        sweep.run(args)
    return folder


def test_phone_strings_by_hand():
    # p1 in its three thirds, p1 again (its thirds start anew), p2 entered in its second third, p0
    assert ctc_task.phones_of([3, 4, 4, 5, 3, 4, 7, 7, 8, 0]).tolist() == [1, 1, 2, 0]
    logits = torch.nn.functional.one_hot(torch.tensor([40, 5, 5, 40, 5, 7, 7, 40]), 41).float()
    assert ctc_task.greedy(logits) == [PHONES[5], PHONES[5], PHONES[7]]


def test_batches_line_up(work):
    batch = ctc_task.Batch(work.stretches[:2])
    assert encoder.answers(60) == 29 and batch.states.shape == (2, 29) and batch.valid.sum(1).tolist() == [29, 23]
    assert batch.states[0, :5].tolist() == [0, 0, 0, 1, 1]  # answers are centred on frames 2, 4, 6, 8, 10
    assert (batch.states[1, 23:] == ctc_task.IGNORE).all()
    values, mask = batch.stream
    assert values.shape == (2, 2400) and mask.sum(1).tolist() == [2400, 48 * 40]


def test_relative_error_and_temperature_by_hand():
    wanted, valid = torch.tensor([[[0.0], [2.0], [9.0]]]), torch.tensor([[True, True, False]])
    assert relative_error(torch.tensor([[[1.0], [1.0], [0.0]]]), wanted, valid) == 1  # the mean
    assert relative_error(torch.tensor([[[0.0], [1.0], [0.0]]]), wanted, valid) == 0.5
    assert [temperature_at(p) for p in (0.0, 0.4, 0.8, 1.0)] == pytest.approx([1.0, 0.1, COLDEST, COLDEST])


def test_sweep_orders_by_error(swept):
    figures, weights = sweep.finished(swept)
    assert figures["order"] == sorted(range(2), key=figures["mse"].__getitem__)
    assert len(figures["alone_kl"]) == 2 and min(figures["alone_kl"]) > 0
    assert any(name.startswith("mixers.1.accumulator.") for name in weights)
    assert sweep.rank_correlation([1.0, 2.0, 3.0], [5.0, 6.0, 9.0]) == pytest.approx(1)


def test_layers_by_order():
    order = [3, 0, 2, 1]
    assert replace.chosen(order, "easiest", 2) == [0, 3] and replace.chosen(order, "hardest", 2) == [1, 2]
    assert len(set(replace.chosen(order, "random", 3))) == 3 and replace.chosen(order, "hardest", 0) == []
    with pytest.raises(encoder.EncoderError, match="layers=5: the encoder has 4"):
        replace.chosen(order, "easiest", 5)


def arguments(swept, folder):
    return cli.parsed("lpa-train", ["--sweep", str(swept), "--out", str(folder), "--epochs", "2", "--steps", "2",
                                    "--array", "--quiet"])[1]


def test_a_row_runs_resumes_and_leaves_the_original_alone(teacher, work, swept, tmp_path):
    before = {name: p.clone() for name, p in teacher.state_dict().items()}
    args = arguments(swept, tmp_path)
    result = replace.experiment(Row(1), args, teacher, Yardstick(teacher, work))
    assert result["replaced"] == [sweep.finished(swept)[0]["order"][0]] and result["anneal"]
    for name in ("error", "soft_error", "hard_error", "near_binary_share", "untrained_error", "kl"):
        assert result[name] >= 0, name
    assert result["near_binary_share"] > 0.9
    assert set(result["array_cycles"]) == {"content", "periodic", "position"}
    assert all(torch.equal(p, before[name]) for name, p in teacher.state_dict().items())
    assert replace.experiment(Row(1), args, None, None) == result  # finished: read, not run
    (tmp_path / Row(1).name / "result.json").unlink()
    again = replace.experiment(Row(1), args, teacher, Yardstick(teacher, work))  # from its last checkpoint
    assert {**again, "commit": 0} == {**result, "commit": 0}


def test_what_trains_is_what_should(teacher, work, swept):
    _, weights = sweep.finished(swept)
    names = {row.name: {n for n, _ in replace.Trainee(teacher, [1], row, weights).named_parameters()}
             for row in (Row(1), Row(1, adapt=False), Row(1, mixer="nothing"))}
    assert names["01-easiest-not-adapted"] < names["01-easiest"]
    assert not any("accumulator" in n for n in names["01-easiest-nothing"])
    frozen = replace.Trainee(teacher, [1], Row(1), weights)
    assert sum(p.requires_grad for p in frozen.model.parameters()) == len(list(frozen.parameters()))
    batch = next(replace.batches(work, 0, 2, 1, 0)(0))
    assert batch.progress == 0
    loss, parts = replace.Distillation(teacher)(frozen, batch)
    loss.backward()
    assert all(p.grad is not None for p in frozen.parameters()) and parts["temperature"] == 1.0


def test_nothing_replaced_is_the_original(teacher, work, swept):
    trainee = replace.Trainee(teacher, [], Row(0), {})
    figures = replace.figures_of(trainee, Yardstick(teacher, work))
    assert figures["kl"] == pytest.approx(0, abs=1e-6)


def test_array_cycles_count_every_frame(teacher, work, swept):
    from hw import config as configs
    _, weights = sweep.finished(swept)
    model = replace.Trainee(teacher, [0, 1], Row(2), weights).model
    set_gates(model, hard=True)
    totals = array_cycles(model, work, configs.load("paper"), recordings=1)
    assert totals["content"]["frames"] == 2 * 8 * encoder.answers(50)
    assert totals["content"]["sliding"] <= totals["content"]["anew"]


def test_growth_and_crossover_by_hand():
    rows = [{"seconds": s, "lpa_ms": 8.0 * s, "attention_ms": 1.0 * s * s} for s in (2, 4, 20, 40)]
    assert scaling.exponent(rows, "lpa_ms") == pytest.approx(1) and scaling.exponent(rows, "attention_ms") == \
        pytest.approx(2)
    assert scaling.crossover(rows) == pytest.approx(8)
    with pytest.raises(encoder.EncoderError, match="wanted two lengths"):
        scaling.exponent(rows[:2], "lpa_ms")


def test_attention_beside_it_is_attention():
    torch.manual_seed(0)
    ours, full = scaling.Attention(8, 2), scaling.Attention(8, 2, full=True)
    full.load_state_dict(ours.state_dict())
    x = torch.randn(1, 7, 8)
    torch.testing.assert_close(ours(x), full(x))


def test_report_collects_what_is_there(swept, tmp_path, teacher, work, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = tmp_path / "runs"
    replace.experiment(Row(1), arguments(swept, runs), teacher, Yardstick(teacher, work))
    measured = {"widths": [{"width": 8, "heads": 2, "exponent_lpa": 1.0, "exponent_attention": 2.0,
                        "crossover_seconds": 8, "scaling": [
                            {"seconds": 1, "lpa_ms": 1, "attention_ms": 2, "ratio": 2},
                            {"seconds": 2, "lpa_ms": 2, "attention_ms": 8, "ratio": 4}]}]}
    (tmp_path / "scaling.json").write_text(json.dumps(measured))
    left = tmp_path / "build" / "results"
    assert cli.main(["lpa-report", "--runs", str(runs), "--sweep", str(swept), "--scaling",
                     str(tmp_path / "scaling.json"), "--encoder", str(tmp_path)]) == 0
    results = json.loads((left / "lpa.json").read_text())
    assert results["ratio_at_longest"] == 4 and [r["layers"] for r in results["replacement"]] == [0, 1]
    assert results["gates_of_row"] == "01-easiest"
    # what made each part is what its own command left, not what somebody typed into the report
    assert results["command"].startswith("sottovoce lpa-report") and results["commit"]
    assert results["replacement"][1]["command"].startswith("sottovoce lpa-train")
    assert results["sweep"]["command"].startswith("sottovoce lpa-sweep") and "versions" in results["sweep"]
    assert (left / "lpa-scaling.png").stat().st_size > 1000 < (left / "lpa-replacement.png").stat().st_size
    assert "not run yet: 08-easiest, 04-easiest" in capsys.readouterr().out


@pytest.mark.parametrize(("given", "message"), [
    (["lpa-sweep", "--encoder", "nowhere/at-all"], "and the hub did not give it: no way"),
    (["lpa-sweep"], "no such encoder: train one with `sottovoce lpa-encoder`"),
    (["lpa-encoder", "--hidden", "50"], "hidden=50: wanted a multiple of heads=4"),
    (["lpa-scaling", "--width", "8", "9", "--heads", "2"], "heads=[2]: wanted one number for each width, [8, 9]"),
    (["lpa-report", "--runs", "none", "--sweep", "none", "--scaling", "none", "--encoder", "none"], "no run here"),
])
def test_errors_are_one_line(given, message, capsys, monkeypatch, tmp_path):
    def without_network(*args, **kwargs):
        raise OSError("no way\nto the hub")
    monkeypatch.setattr(encoder.transformers().Wav2Vec2ForCTC, "from_pretrained", without_network)
    monkeypatch.chdir(tmp_path)
    assert cli.main(given) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and error.count("\n") == 1


def test_what_is_no_encoder_is_refused(tmp_path):
    (tmp_path / "broken").mkdir()
    with pytest.raises(encoder.EncoderError, match="not a Wav2Vec2 in transformers' form"):
        encoder.load(tmp_path / "broken")
    with pytest.raises(encoder.EncoderError, match="wanted a Wav2Vec2 model"):
        encoder.layers_of(torch.nn.Linear(2, 2))


@pytest.fixture
def pretrained(tmp_path):
    """Folder of an untrained encoder of waves with letters for outputs, as the hub's have them; and recordings."""
    package = encoder.transformers()
    vocabulary = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "|": 4, **{c: 5 + i for i, c in enumerate("ABC'")}}
    folder = tmp_path / "pretrained"
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    package.Wav2Vec2CTCTokenizer(str(folder / "vocab.json")).save_pretrained(folder)
    package.Wav2Vec2ForCTC(package.Wav2Vec2Config(
        hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, conv_dim=(16, 16),
        conv_kernel=(400, 3), conv_stride=(160, 2), num_feat_extract_layers=2, feat_extract_norm="layer",
        num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2, vocab_size=len(vocabulary))).save_pretrained(folder)
    data = tmp_path / "data"
    data.mkdir()
    lines = ["path,speaker,split,phones,transcript"]
    for i, split in enumerate(("train", "train", "train", "train", "dev", "dev")):
        wave = np.random.default_rng(i).normal(0, 0.1, 16000 + 800 * i)
        soundfile.write(data / f"{i}.wav", wave, 16000)
        (data / f"{i}.phn").write_text(f"0 {len(wave)} h#\n")
        lines.append(f"{i}.wav,s{i},{split},{i}.phn,A cab.")
    (data / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder, data


def test_pretrained_encoder_of_waves_from_a_folder(pretrained, tmp_path, capsys):
    """The same commands on an encoder of its own size, front end and vocabulary, scored in words."""
    folder, data = map(str, pretrained)
    swept, runs = str(tmp_path / "sweep"), str(tmp_path / "runs")
    given = ["--encoder", folder, "--data", data, "--epochs", "1", "--steps", "1", "--quiet"]
    assert cli.main(["lpa-sweep", *given, "--out", swept]) == 0
    assert cli.main(["lpa-train", *given, "--layers", "1", "--sweep", swept, "--out", runs]) == 0
    said = capsys.readouterr().out
    assert "order, easiest first" in said and "easiest" in said
    model, work = sweep.original(cli.parsed("lpa-sweep", given)[1])
    assert not any(p.requires_grad for p in model.parameters())
    values, mask, answers = next(work.held_batches())
    assert values.shape == (2, 20000) and mask.sum(1).tolist() == [19200, 20000] and answers.tolist() == [58, 61]
    assert values[0, :19200].mean().abs() < 1e-5 and values[0, :19200].std() == pytest.approx(1, abs=1e-3)
    heard = torch.nn.functional.one_hot(torch.tensor([5, 5, 0, 4, 7, 5, 0, 6]), 9).float()  # "A CAB"
    assert work.judge(0, heard).rate == 0 and work.judge(0, heard[:3]).rate == 50
    (pretrained[0] / "vocab.json").unlink()
    for extra in pretrained[0].glob("*token*"):
        extra.unlink()
    assert cli.main(["lpa-sweep", *given, "--out", str(tmp_path / "other")]) == 1
    assert "no CTC tokenizer" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["lpa-encoder", "lpa-sweep", "lpa-train", "lpa-scaling"])
def test_help_helps(command, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "--help"])
    assert stop.value.code == 0 and "default" in capsys.readouterr().out
