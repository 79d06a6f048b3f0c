"""What the wide training hears, the part that choices are made on, and a teacher's answers."""


from pathlib import Path

import numpy as np
import pytest
import torch

from sw.data.speech_commands import Clip
from sw.data.utterance import DataError
from sw.keywords import disturb, frontends, keyword_task, noise, recipes, spotter, talk, teaching, waves
from sw.models.ds_cnn import DsCnn

torch.set_num_threads(1)  # small sums: threads only wait for each other
PACK = Path("../shared/data/keywords")


def test_wide_versions_are_disturbed_hard_and_then_mildly(tmp_path):
    rng = np.random.default_rng(1)
    clips = [Clip(Path(f"{i}"), "yes") for i in range(3)]
    found = waves.Waves(clips, torch.from_numpy(rng.integers(-9000, 9000, (3, 16000)).astype(np.int16)), [])
    hiss, talkers = [noise.white(20000, rng)], [noise.pink(20000, rng) for _ in range(9)]
    count = frontends.HARD + 2
    x = frontends.variants(found, "mel16", count, hiss, cache=tmp_path, quiet=True, talkers=talkers, wide=True)
    for version, how in ((1, disturb.hard), (frontends.HARD, disturb.hard), (frontends.HARD + 1, disturb.mild)):
        wave = how(found.floats()[2].numpy(), hiss, talkers, np.random.default_rng([frontends.WIDE_SEED, version, 2]))
        assert wave.shape == (16000,) and wave.dtype == np.float32 and np.abs(wave).max() <= 1
        assert np.array_equal(x[version, 2], frontends.raw(torch.from_numpy(wave)[None], "mel16")[0].half())
    other = frontends.variants(found, "mel16", count, hiss, cache=tmp_path, quiet=True, talkers=talkers[:8], wide=True)
    assert not np.array_equal(x, other)  # other talkers are another cache


def test_masks_blank_a_band_and_stretches_no_longer_than_told():
    x = torch.ones(50, 40, 98)
    blank = keyword_task.masked(x, (10, 5), np.random.default_rng(0)) == 0
    bands, stretches = blank.all(2).sum(1), blank.all(1).sum(1)
    assert bands.max() == 5 and bands.min() == 0 and stretches.max() > 10 and stretches.max() <= 20
    assert torch.equal(keyword_task.masked(x, (0, 0), np.random.default_rng(0)), x)


def test_a_development_part_keeps_speakers_together():
    clips = [Clip(Path(f"{i}.wav"), "yes", speaker=f"s{i % 50}") for i in range(500)]
    chosen = teaching.chosen_on(clips)
    assert 0.05 < np.mean(chosen) < 0.3 and chosen == teaching.chosen_on(clips)
    for i, mine in enumerate(chosen):
        assert mine == chosen[i % 50]


def test_a_teacher_answers_on_the_versions_that_its_pupil_hears(tmp_path):
    rng = np.random.default_rng(0)
    clips = [Clip(Path(f"{i}"), "yes" if i % 2 else "no") for i in range(6)]
    found = waves.Waves(clips, torch.from_numpy(rng.integers(-9000, 9000, (6, 16000)).astype(np.int16)), [])
    other = keyword_task.KeywordTask(found, ("no", "yes"), "mel16", variants=2, cache=tmp_path, quiet=True)
    torch.manual_seed(0)
    teacher = spotter.Spotter("t", DsCnn(classes=2).eval(), other.normaliser, ("no", "yes"))
    work = keyword_task.KeywordTask(found, ("no", "yes"), "causal", variants=2, cache=tmp_path, quiet=True,
                                    teacher=teacher)
    assert work.taught.shape == (2, 6, 2)
    wanted = teacher.logits(found.floats())  # version 0 is the clip as it is
    assert np.allclose(work.taught[0], wanted, atol=2e-3)
    recipe = recipes.changed(recipes.find("tiny-kws"), distil=1.0, smoothing=0.0, softness=3.0)
    x, y, taught = next(iter(work.batches(0, 6)(0)))
    value, _ = keyword_task.loss_of(recipe)(lambda x: taught + 5, (x, y, taught))  # its own answer, moved: no better
    soft = (taught / 3).softmax(1)
    assert value.item() == pytest.approx(9 * -(soft * soft.log()).sum(1).mean().item(), rel=1e-4)


def test_windows_of_talk_hold_none_of_the_words(tmp_path):
    said = ["a sentence of other things", "go there and stay", "who would know that", "more of the same here"]
    splits = ["train", "train", "train", "dev"]
    lines = [f"{i}.wav,s{i},{split},3.0,{text}" for i, (text, split) in enumerate(zip(said, splits, strict=True))]
    (tmp_path / "manifest.csv").write_text("\n".join(["path,speaker,split,seconds,transcript", *lines]))
    clips = talk.windows([tmp_path], 40)
    assert {c.path.name for c in clips} == {"0.wav"} and {c.label for c in clips} == {"_unknown_"}
    starts = [c.start for c in clips]
    assert 0 <= min(starts) < 0.4 and 1.6 < max(starts) <= 2.0
    with pytest.raises(DataError, match="no sentence"):
        (tmp_path / "manifest.csv").write_text("\n".join(["path,speaker,split,seconds,transcript", lines[1]]))
        talk.windows([tmp_path], 40)


def test_talk_is_drawn_anew_and_unknown_whatever_the_teacher_says(tmp_path):
    rng = np.random.default_rng(0)
    clips = [Clip(Path(f"{i}"), "yes") for i in range(6)]

    def sound(clips):
        return waves.Waves(clips, torch.from_numpy(rng.integers(-9000, 9000, (len(clips), 16000)).astype(np.int16)), [])
    found, speech = sound(clips), sound([Clip(Path(f"t{i}"), "_unknown_") for i in range(20)])
    labels = ("yes", "_unknown_")
    plain = keyword_task.KeywordTask(found, labels, "mel16", variants=2, cache=tmp_path, quiet=True)
    torch.manual_seed(0)
    teacher = spotter.Spotter("t", DsCnn(classes=2).eval(), plain.normaliser, labels)
    work = keyword_task.KeywordTask(found, labels, "mel16", variants=2, cache=tmp_path, quiet=True, teacher=teacher,
                                    heard_as=dict(wide=True), talk=speech, talked=8, mix=(1, 0, 0))
    heard = []
    for epoch in range(2):
        x, y, taught = (torch.cat(parts) for parts in zip(*work.batches(0, 2)(epoch), strict=True))
        assert (y == 1).sum() == 8 and (y == 0).sum() == 6
        assert torch.equal(taught[y == 1], torch.tensor([[0, keyword_task.SURE]]).expand(8, 2))
        assert torch.allclose(taught[y == 0].sort(0)[0], torch.from_numpy(work.taught[0]).float().sort(0)[0])  # plain
        heard.append(x[y == 1].flatten(1).sum(1).sort()[0])
    assert not torch.equal(*heard)
    assert sum(len(y) for _, y, _ in work.batches(0, 2, plain=True)(0)) == 6  # the first stage hears no talk


def test_shares_of_plain_hard_and_mild_versions():
    chance = frontends.shares(range(33), (0.15, 0.35, 0.5))
    assert np.allclose([chance[0], chance[1:25].sum(), chance[25:].sum()], [0.15, 0.35, 0.5])
    assert np.allclose(frontends.shares((0, 2, 26), (1, 1, 2)), [0.25, 0.25, 0.5])
