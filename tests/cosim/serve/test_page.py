"""The page in a real browser, and the circuit behind it: minutes, so not among the fast tests."""

import asyncio

import numpy as np
import pytest
import torch
from serve_helpers import listen, served

from cosim import models
from cosim.errors import ToolError
from cosim.report import browser
from cosim.serve.choices import Choices
from sottovoce import cli
from sw.data import audio
from sw.golden import predict

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
torch.set_num_threads(1)


def test_the_page_in_chromium(tmp_path, capsys):
    """Console, accessibility, first spikes, words and phones, a refused microphone, a soak: `serve-check` passes."""
    try:
        browser.need()
    except ToolError as error:
        pytest.skip(str(error))
    assert cli.main(["serve-check", "--soak", "30", "--out", str(tmp_path)]) == 0, capsys.readouterr().out
    assert {f"{screen}-{theme}.png" for screen in browser.SCREENS for theme in browser.THEMES} == {
        path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("name", ["rsnn-phone", "rsnn-keywords"])
def test_the_circuit_streams_what_the_golden_model_says_offline(name):
    offered = Choices(name, rtl=True)
    clip = "ten_people.flac" if name == "rsnn-keywords" else models.CLIP.name
    model, wave = offered.model(name), audio.read(models.CLIP.with_name(clip))
    heard = models.hear(model, wave)
    prediction = predict(model, heard.utterances)

    async def case():
        async with served(offered) as client:
            return await listen(client, source="clip", clip=clip, machine="rtl", paced=False, logits=True)
    said = asyncio.run(case())
    new = np.concatenate([np.arange(len(u))[-10 if heard.keywords else 0:] + 98 * i * heard.keywords
                          for i, u in enumerate(heard.utterances)])
    assert np.array_equal(said.frames.x, np.concatenate(heard.utterances)[new])
    assert np.array_equal(said.frames.logits, prediction.logits[new])
    assert all(map(np.array_equal, said.frames.spikes, (layer[new] for layer in prediction.spikes)))
    assert said.finished["total"]["cycles"] == round(float(prediction.phases.sum(1).mean()), 1)
    assert said.finished["total"]["reads"] == round(float(prediction.reads.sum(1).mean()), 1)
    if heard.keywords:
        assert [item["text"] for item in said.heard] == [
            d.label for d in models.words(model, prediction.logits, len(wave))] != []
