"""Speech Commands in both forms: sets, samples of unknown and silence, odd clips, download checks, features, noise."""

import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from sw.data import download, speech_commands
from sw.data.speech_commands import CLASSES, SILENCE, UNKNOWN, WORDS, Clip, official_set
from sw.keywords import frontends, keyword_task, noise, waves

torch.set_num_threads(1)  # small sums: threads only wait for each other
PACK = Path("../shared/data/keywords")


def tone(path, seconds=1.0, rate=16000, level=0.3):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, (level * np.sin(np.arange(int(seconds * rate)) * 0.3)).astype(np.float32), rate)


@pytest.fixture
def standard(tmp_path):
    """Twelve folders of words, 40 speakers each, and background noise."""
    tone(tmp_path / "_background_noise_" / "hum.wav", 20)
    tone(tmp_path / "_word.wav", 0.05)
    sound = (tmp_path / "_word.wav").read_bytes()
    for word in (*WORDS, "bed", "cat"):
        (tmp_path / word).mkdir()
        for i in range(40):
            (tmp_path / word / f"{i:08x}_nohash_0.wav").write_bytes(sound)
    return tmp_path


def test_official_rule():
    # the rule worked by hand for one speaker: the SHA-1's integer modulo 2^27, in percent of 2^27 - 1
    share = int(hashlib.sha1(b"a5d485dc").hexdigest(), 16) % 2 ** 27 * 100 / (2 ** 27 - 1)
    assert official_set("a5d485dc_nohash_0.wav") == ("dev" if share < 10 else "test" if share < 20 else "train")
    sets = [official_set(f"{i:08x}_nohash_1.wav") for i in range(4000)]
    assert sets.count("dev") / 4000 == pytest.approx(0.1, abs=0.02) == sets.count("test") / 4000
    # a speaker stays together
    assert official_set("x/00000001_nohash_0.wav") == official_set("y/00000001_nohash_7.wav")
    with pytest.raises(ValueError, match="dev=60"):
        official_set("a", 60, 50)


def test_rule_agrees_with_the_official_test_set():
    if not PACK.is_dir():
        pytest.skip("the shared keyword pack is not here")
    speakers = {c.speaker for c in speech_commands.load(PACK) if c.speaker}
    assert len(speakers) > 100 and {official_set(f"{s}_nohash_0.wav") for s in speakers} == {"test"}


def test_standard_layout(standard):
    clips = speech_commands.must_be_disjoint(speech_commands.load(standard))
    for split in speech_commands.SPLITS:
        mine = [c for c in clips if c.split == split]
        words = [c for c in mine if c.label in WORDS]
        tenth = -(-len(words) // 10)
        assert sum(c.label == SILENCE for c in mine) == tenth == sum(c.label == UNKNOWN for c in mine)
        assert {c.word for c in mine if c.label == UNKNOWN} <= {"bed", "cat"}
    assert clips == speech_commands.load(standard) != speech_commands.load(standard, seed=1)
    assert speech_commands.labels_of(clips) == CLASSES
    whole = speech_commands.load(standard, classes=35)
    assert len(whole) == 480 and len(speech_commands.labels_of(whole)) == 12 and "bed" in {c.label for c in whole}


def test_sets_cut_their_silences_apart(standard):
    clips = [c for c in speech_commands.load(standard) if c.label == SILENCE]
    spans = {split: [c.start for c in clips if c.split == split] for split in speech_commands.SPLITS}
    assert max(spans["train"]) + 1 <= 0.7 * 20 <= min(spans["dev"])
    assert max(spans["dev"]) + 1 <= 0.85 * 20 <= min(spans["test"])


def test_official_lists_come_before_the_rule(standard):
    name = next(p.name for p in sorted((standard / "yes").iterdir()) if official_set(p.name) == "train")
    (standard / "validation_list.txt").write_text("")
    with pytest.raises(ValueError, match="has validation_list.txt but not the other"):
        speech_commands.load(standard)
    (standard / "testing_list.txt").write_text(f"yes/{name}\n")
    clips = speech_commands.load(standard)
    assert [c.path.name for c in clips if c.split == "test" and c.label == "yes"] == [name]
    assert {c.split for c in clips} == {"train", "test"}


def test_manifest_folder(tmp_path):
    (tmp_path / "manifest.csv").write_text("path,label,speaker,split\na.wav,yes,s1,train\nb.wav,banana,s2,dev\n")
    clips = speech_commands.load(tmp_path)
    assert [(c.label, c.word, c.split) for c in clips] == [("yes", "yes", "train"), (UNKNOWN, "banana", "dev")]
    for text, said in (("path,label\na.wav,\n", "manifest.csv:2: wanted a path and a label"),
                       ("path,word\na.wav,yes\n", "no column 'label'"), ("path,label\n", "holds no clip"),
                       ("path,label,split\na.wav,yes,eval\n", "split 'eval'")):
        (tmp_path / "manifest.csv").write_text(text)
        with pytest.raises(ValueError, match=said):
            speech_commands.load(tmp_path)
    with pytest.raises(ValueError, match="speaker s1 is in train and in dev"):
        speech_commands.must_be_disjoint([Clip(Path("a"), "yes", "", "s1"), Clip(Path("b"), "no", "", "s1", "dev")])


def test_manifests_as_people_write_them(tmp_path, caplog):
    text = "\ufeffpath, label\na.wav, Yes\nb.wav,NO \nc.wav,silence\nd.wav,unknown\ne.wav,House\nf.wav,house\n"
    (tmp_path / "manifest.csv").write_text(text, encoding="utf-8")
    clips = speech_commands.load(tmp_path)
    assert [c.label for c in clips] == ["yes", "no", SILENCE, UNKNOWN, UNKNOWN, UNKNOWN]
    assert clips[0].path == tmp_path / "a.wav" and {c.split for c in clips} == {"test"}
    assert "2 clips count as _unknown_: 2 of 'house'" in caplog.text
    assert [c.label for c in speech_commands.load(tmp_path, classes=35)] == ["yes", "no", "house", "house"]
    (tmp_path / "manifest.csv").write_bytes("path,label\nä.wav,yes\n".encode("latin-1"))
    with pytest.raises(ValueError, match="manifest.csv: not a CSV file in UTF-8"):
        speech_commands.load(tmp_path)


def test_folders_of_ones_own_words(tmp_path, standard, caplog):
    own = tmp_path / "own"
    for name in ("yes/a.wav", "No/b.flac", "no/c.WAV", "silence/d.wav", "tree/e.wav"):
        tone(own / name) if not name.endswith("WAV") else tone(own / name.lower())
    (own / "no" / "c.wav").rename(own / "no" / "c.WAV")
    clips = speech_commands.load(own)
    assert sorted((c.path.name, c.label) for c in clips) == [
        ("a.wav", "yes"), ("b.flac", "no"), ("c.WAV", "no"), ("d.wav", SILENCE), ("e.wav", UNKNOWN)]
    assert {c.split for c in clips} == {"test"} and "1 of 'tree'" in caplog.text
    for word in WORDS:  # all ten, even with noise beside them: whose names are not Speech Commands' is all test
        tone(own / word / "x.wav")
    tone(own / "_background_noise_" / "hum.wav", 20)
    assert {c.split for c in speech_commands.load(own)} == {"test"}
    tone(tmp_path / "flat" / "a.wav")
    with pytest.raises(ValueError, match="no manifest.csv with the columns path and label"):
        speech_commands.load(tmp_path / "flat")
    tone(tmp_path / "odd" / "tree" / "a.wav")
    with pytest.raises(ValueError, match="no folder is named by one of yes, no"):
        speech_commands.load(tmp_path / "odd")


def test_held_out_sets():
    def of(*splits):
        return [Clip(Path("a"), "yes", "", "", s) for s in splits]
    assert speech_commands.sets_of(of("train", "dev", "test"), "held") == {"test"}
    assert speech_commands.sets_of(of("train", "dev"), "held") == {"dev"}
    assert speech_commands.sets_of(of("train"), "held") == {"train"}
    assert speech_commands.sets_of(of("train", "dev"), "all") == {"train", "dev"}
    with pytest.raises(ValueError, match="split='test': no clip; there are dev, train"):
        speech_commands.sets_of(of("train", "dev"), "test")


def test_odd_clips_are_handled_or_named(tmp_path):
    tone(tmp_path / "good.wav")
    tone(tmp_path / "short.wav", 0.4)
    tone(tmp_path / "long.wav", 3.0)
    tone(tmp_path / "slow.wav", 1.0, rate=8000)
    tone(tmp_path / "silent.wav", level=0)
    (tmp_path / "bad.wav").write_bytes(b"RIFF nothing")
    names = ("good", "short", "long", "slow", "silent", "bad", "absent")
    found = waves.gather([Clip(tmp_path / f"{n}.wav", "yes") for n in names], tmp_path / "cache", quiet=True)
    assert found.samples.shape == (5, 16000) and [c.path.stem for c in found.clips] == list(names[:5])
    said = "\n".join(found.problems)
    for name, what in (("short", "0.40 s: filled up"), ("long", "3.00 s: its loudest"), ("silent", ": silent"),
                       ("bad", "not readable as audio"), ("absent", "no such audio file")):
        assert any(name in line and what in line for line in found.problems), said
    assert not any("good" in line or "slow" in line for line in found.problems)
    again = waves.gather([Clip(tmp_path / f"{n}.wav", "yes") for n in names], tmp_path / "cache", quiet=True)
    assert again.problems == found.problems and torch.equal(again.samples, found.samples)
    with pytest.raises(ValueError, match="1 clips, none of them readable"):
        waves.gather([Clip(tmp_path / "bad.wav", "yes")], tmp_path / "cache", quiet=True)
    before = (tmp_path / f"{names[0]}.wav").stat().st_size
    soundfile.write(tmp_path / f"{names[0]}.wav", np.zeros(16000), 16000)  # other sound, as many bytes
    assert (tmp_path / f"{names[0]}.wav").stat().st_size == before
    changed = waves.gather([Clip(tmp_path / f"{n}.wav", "yes") for n in names], tmp_path / "cache", quiet=True)
    assert again.samples[0].any() and not changed.samples[0].any() and "good.wav: silent" in "\n".join(changed.problems)


def test_one_second_by_hand():
    wave = np.zeros(40000, np.float32)
    wave[20000:21000] = 1
    assert waves.one_second(wave).sum() == 1000
    assert waves.one_second(np.ones(10000, np.float32))[3000:13000].all()
    assert waves.one_second(wave[:10]).shape == (16000,)


def test_log_mel_of_a_tone():
    t = torch.arange(16000) / 16000
    x = frontends.log_mel(torch.sin(2 * torch.pi * 1000 * t)[None], 64)
    assert x.shape == (1, 64, 101)
    # 1000 Hz is line 32 of 512 at 16 kHz
    assert int(frontends.mel_matrix(64)[32].argmax()) == int(x[0, :, 50].argmax())
    assert frontends.log_mel(torch.zeros(1, 16000), 16).unique().item() == pytest.approx(np.log(1e-6), abs=1e-4)
    assert torch.allclose(frontends.dct_matrix(32) @ frontends.dct_matrix(32).T, torch.eye(32), atol=1e-5)
    with pytest.raises(ValueError, match="frontend='mel'"):
        frontends.parse("mel")


def test_normalisers():
    x = torch.randn(20, 32, 101) * 3 + torch.arange(32.0)[:, None]
    y = frontends.Normaliser.of("mfcc32", x)(x)
    assert y.mean((0, 2)).abs().max() < 1e-3 and (y.std((0, 2)) - 1).abs().max() < 1e-3
    y = frontends.Normaliser.of("mel32", x)(x)
    assert abs(y.mean()) < 1e-3 and y.mean((0, 2)).abs().max() > 0.5  # one mean for all bins
    from sw.features import causal
    x = torch.randn(3, 40, 30) + 8
    normaliser = frontends.Normaliser.of("causal", x)
    alone = causal.Normalisation(normaliser.mean.numpy(), normaliser.deviation.numpy())(x[1].T.numpy())
    assert (normaliser(x)[1].T.numpy() == alone).all()


def test_noises_have_their_spectrum_and_level():
    rng = np.random.default_rng(0)
    for make, slope in ((noise.white, 0.0), (noise.pink, -1.0)):
        power = np.abs(np.fft.rfft(make(1 << 16, rng))) ** 2
        bands = [power[b:2 * b].mean() for b in 2 ** np.arange(6, 15)]
        assert np.polyfit(np.arange(len(bands)), np.log2(bands), 1)[0] == pytest.approx(slope, abs=0.1)
    wave = 0.05 * np.sin(np.arange(16000) * 0.2).astype(np.float32)
    mixed = noise.mix(wave, noise.white(16000, rng), 10)
    assert 10 * np.log10(np.mean(wave ** 2) / np.mean((mixed - wave) ** 2)) == pytest.approx(10, abs=0.1)
    talk = noise.babble([rng.standard_normal(5000).astype(np.float32) for _ in range(9)], 8000, rng)
    assert talk.shape == (8000,) and talk.std() == pytest.approx(1, abs=1e-3)
    with pytest.raises(ValueError, match="babble wants at least 8"):
        noise.babble([wave], 100, rng)
    with pytest.raises(ValueError, match="noise='brown'"):
        noise.source("brown", "", "")


def test_own_noises_stay_out():
    folder = Path("../shared/data/noise")
    if not folder.is_dir():
        pytest.skip("the shared noise pack is not here")
    kinds = noise.recordings(folder, ("train", "test"))
    assert len(kinds) == 9  # 17 files less six gsc_* and two of dev


def test_variants_and_batches(tmp_path):
    rng = np.random.default_rng(0)
    clips = [Clip(Path(f"{i}"), "yes" if i % 2 else "no") for i in range(10)]
    found = waves.Waves(clips, torch.from_numpy(rng.integers(-9000, 9000, (10, 16000)).astype(np.int16)), [])
    hiss = [noise.white(20000, rng)]
    x = frontends.variants(found, "mel16", 2, hiss, cache=tmp_path, quiet=True)
    assert x.shape == (2, 10, 16, 101) and not np.array_equal(x[0], x[1])
    assert np.array_equal(x[0], frontends.raw(found.floats(), "mel16").half())
    other = frontends.variants(found, "mel16", 2, [noise.pink(20000, rng)], cache=tmp_path, quiet=True)
    assert not np.array_equal(x[1], other[1])  # as long a noise, but another
    assert keyword_task.identity(found, hiss) == keyword_task.identity(found, hiss) != keyword_task.identity(found, [])
    work = keyword_task.KeywordTask(found, ("no", "yes"), "mel16", variants=2, cache=tmp_path, quiet=True)
    first = list(work.batches(0, 4)(0))
    assert [len(y) for _, y in first] == [4, 4, 2]  # a last batch of half or more is kept
    assert torch.cat([y for _, y in first]).sum() == 5  # each clip once
    for a, b in zip(first, work.batches(0, 4)(0), strict=True):
        assert torch.equal(a[0], b[0]) and torch.equal(a[1], b[1])
    assert not torch.equal(first[0][0], next(iter(work.batches(0, 4)(1)))[0])


def archive(tmp_path, name="word/a.wav"):
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as target:
        info = tarfile.TarInfo(name)
        info.size = 3
        target.addfile(info, io.BytesIO(b"abc"))
    data = path.read_bytes()
    return path, download.Archive(path.as_uri(), len(data), hashlib.sha256(data).hexdigest())


def test_download_is_checked(tmp_path):
    path, wanted = archive(tmp_path)
    got = download.fetch(wanted, tmp_path / "got.tar.gz", quiet=True)
    assert got.read_bytes() == path.read_bytes()
    download.unpack(got, tmp_path / "data")
    assert (tmp_path / "data" / "word" / "a.wav").read_bytes() == b"abc"
    got.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match="SHA-256 .* differs"):
        download.verify(wanted, got)
    got.write_bytes(b"short")
    with pytest.raises(ValueError, match=f"5 bytes, wanted {wanted.size}"):
        download.verify(wanted, got)
    bad, _ = archive(tmp_path, "../outside")
    with pytest.raises(ValueError, match="not unpacked"):
        download.unpack(bad, tmp_path / "other")
    assert not (tmp_path / "other").exists() and not (tmp_path / "outside").exists()
