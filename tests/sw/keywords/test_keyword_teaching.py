"""What the wide training hears, the part that choices are made on, and a teacher's answers."""


from pathlib import Path

import numpy as np
import pytest
import torch

from sw.data.speech_commands import Clip
from sw.keywords import disturb, frontends, keyword_task, noise, recipes, spotter, teaching, waves
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
