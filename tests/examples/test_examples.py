"""Every script of `examples` runs, and shows what it is about; its pictures are pictures."""

import re
import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SAID = {  # script -> what it must print
    "recognise": r"0\.\d\d s  sil[\s\S]*608 frames, 38\d cycles each; neurons that fire: 2\d%, 1\d%",
    "keywords": r"listened to 6\.0 s for: yes, no[\s\S]*98 frames, \d+ cycles and \d+ row reads a frame",
    "import_nir": r"layer lif: 12 neurons\n.*: 9\d\.\d%\nRTL against integers, 200 frames: no difference",
    "rtl_object": r"t2_sequential +1\d\d\.\d cycles[\s\S]*t2_union +\d\d\.\d cycles[\s\S]*the same 8,000 logits",
    "timeline": r"paper in mode t2_union: \d+ cycles: timeline\.png",
    "sweep": r" 16 lanes: +4\d{3} cycles[\s\S]*256 lanes: +\d+ cycles[\s\S]*picture: sweep\.png",
}
PNG = b"\x89PNG\r\n\x1a\n"


def run(name, arguments):
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"](arguments)


COMPILES = {"import_nir"}  # a design that no other test has


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) if name in COMPILES else name
                                  for name in SAID])
def test_it_runs(name, tmp_path, monkeypatch, capsys):
    pictures = {"timeline", "sweep"}
    if name in pictures:
        monkeypatch.chdir(tmp_path)
    assert not run(name, [])
    assert re.search(SAID[name], capsys.readouterr().out)
    if name in pictures:
        assert (tmp_path / f"{name}.png").read_bytes().startswith(PNG)


def test_every_script_is_run_and_listed():
    scripts = {path.stem for path in EXAMPLES.glob("*.py")}
    listed = set(re.findall(r"\]\((\w+)\.py\)", (EXAMPLES / "README.md").read_text()))
    assert scripts == set(SAID) == listed and len(scripts) >= 5


@pytest.mark.parametrize("name", SAID)
def test_it_is_short_and_says_how_it_is_called(name):
    text = (EXAMPLES / f"{name}.py").read_text()
    assert f"python examples/{name}.py" in text.split('"""')[1] and text.count("\n") < 90


def test_a_difference_fails_the_proof(monkeypatch, capsys):
    """The import's example is a proof: circuit and integers that differ end it with 1, and name the place."""
    import sottovoce
    from sw.integers.integer_model import IntegerModel

    class Wrong:
        def __init__(self, model):
            self.model = model

        def predict(self, x):
            return IntegerModel.predict(self.model, x[::-1].copy())

    monkeypatch.setattr(sottovoce, "Rtl", Wrong)
    assert run("import_nir", []) == 1
    assert re.search(r"frames: spike.*: expected \d, got \d", capsys.readouterr().out)
