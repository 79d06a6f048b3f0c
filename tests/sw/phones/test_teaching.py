"""A teacher's answers belong to the label's frame, travel with the batch and count in the loss as computed by hand."""

import json

import numpy as np
import pytest
import torch

from sw.data.utterance import Utterance
from sw.features.causal import BINS
from sw.models.gated import Gated
from sw.phones import batches, ideas, phone_task, stages, teaching
from sw.phones.objective import FrameLoss, log_prior
from sw.phones.targets import Layout
from sw.training import trainer

LAYOUT = Layout("mono", 128)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of an untrained teacher that answers 3 frames late."""
    place = tmp_path_factory.mktemp("runs") / "teacher"
    torch.manual_seed(0)
    model = Gated(kind="gru", outputs=128, neurons=8, both_ways=True)
    trainer.fit(model, lambda epoch: [torch.zeros(1)], lambda network, x: (network.fc.weight.sum() * 0, {}), place,
                epochs=1, rate=1e-3, seed=0, recipe={"delay": 3}, quiet=True)
    return place


def test_posteriors_are_those_of_the_frame_that_the_late_answer_is_about(folder, tmp_path):
    teacher = teaching.Teacher(folder)
    rng = np.random.default_rng(0)
    xs = [rng.integers(-60, 60, (n, BINS)).astype(np.int8) for n in (30, 12)]
    labels = [np.zeros((len(x), 4), np.uint8) for x in xs]
    found = teacher.posteriors(xs, labels, tmp_path, quiet=True)
    late = torch.cat([torch.from_numpy(xs[0]).float(), torch.zeros(3, BINS)])[:, None]
    with torch.no_grad():
        logits = teacher.network(late)[3:, 0] + log_prior([np.zeros(len(x), int) for x in xs], LAYOUT)
    wanted, which = logits[:, :120].softmax(-1).topk(teaching.KEPT)
    thirds, shares = found[0]
    assert thirds.tolist() == which.tolist()
    np.testing.assert_allclose(shares, wanted / wanted.sum(-1, keepdim=True), atol=1e-3)
    assert len(list(tmp_path.glob("taught-*"))) == 1
    teacher.network = None  # asked a second time, the teacher is not run
    again = teacher.posteriors(xs, labels, tmp_path, quiet=True)
    assert all((a == b).all() for one, two in zip(found, again, strict=True) for a, b in zip(one, two, strict=True))


def test_a_batch_brings_what_the_teacher_says_as_late_as_its_targets():
    x, y = [np.ones((6, BINS), np.int8)], [np.arange(6)]
    told = [(np.tile(np.arange(6)[:, None], (1, 2)).astype(np.uint8), np.full((6, 2), 0.5, np.float16))]
    ((_, target, thirds, shares),) = batches.epoch([x], [y], [1], np.random.default_rng(0), delay=4, masking=False,
                                                  taught=[told])
    heard = target[:, 0] != batches.IGNORE
    assert target[heard, 0].tolist() == list(range(6)) == thirds[heard, 0, 1].tolist()
    assert (shares.sum(-1)[:, 0] == heard.float()).all()


def test_labels_and_teacher_count_alike():
    class Fixed(torch.nn.Module):
        def encode(self, x):
            return x, ()

        def readout(self, hidden):
            return hidden

    logits = torch.zeros(1, 1, 128)
    logits[..., 7] = 2.0
    batch = (logits, torch.tensor([[7]]), torch.tensor([[[7, 3]]]), torch.tensor([[[0.25, 0.75]]]))
    loss = FrameLoss(torch.zeros(128), contexts=1, share=1.1, smoothing=0.0)
    value, _ = loss(Fixed(), batch)
    total = np.log(np.exp(2) + 127)
    assert value.item() == pytest.approx(((total - 2) + (total - 0.25 * 2)) / 2, rel=1e-5)


def test_choices_are_made_on_speakers_that_no_table_scores():
    some = [Utterance(f"{i}.wav", f"{i}.phn", f"s{i}", corpus, hand=corpus == "timit_sample")
            for i, corpus in enumerate(["timit_sample"] * 4 + ["librispeech:train"] * 60 + ["synthetic_kokoro"] * 60)]
    parts = phone_task.split(some, develop=True)
    assert not any(u.hand for u in (*parts.train, *parts.test)) and set(parts.unused) == set(some[:4])
    assert {u.corpus for u in parts.test} == {"librispeech:train"}
    assert not {u.speaker for u in parts.train} & {u.speaker for u in parts.test}
    assert len(parts.train) + len(parts.test) == 120 and 2 <= len(parts.test) <= 14


def test_every_idea_is_set_beside_one_that_exists_and_differs_from_it():
    for idea in ideas.IDEAS.values():
        assert idea.base is None or idea.base in ideas.IDEAS, idea.name
        assert not idea.start or idea.start in ideas.IDEAS
        config = ideas.configured(idea)
        if "kind" not in idea.sizes:
            stage = stages.Stage(idea.slug, None, 1, 1e-2, sizes=idea.sizes, time_steps=idea.time_steps)
            network = stages.build(stage, config, None, None)
            assert network.widths == [layer.neurons for layer in config.layers]
    rows = ideas.with_deltas([{"idea": "a", "base": None, "error": 50.0}, {"idea": "b", "base": "a", "error": 48.5},
                              {"idea": "c", "base": "gone", "error": 1.0}])
    assert [r["delta"] for r in rows] == [None, -1.5, None]


def test_a_run_without_its_delay_cannot_teach(folder, tmp_path):
    other = tmp_path / "old"
    other.mkdir()
    for name in (trainer.CHECKPOINT, "manifest.json"):
        (other / name).write_bytes((folder / name).read_bytes())
    manifest = json.loads((other / "manifest.json").read_text())
    del manifest["delay"]
    (other / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="says no delay: train it again"):
        teaching.Teacher(other)
