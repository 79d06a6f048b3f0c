"""Knobs and the points they span, the front, the fit, and a sweep that goes on where it stopped."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cosim.explore import estimate, explore, front, measure, points
from hw import config as configs
from hw.flow.lib import library as libraries
from hw.interface import WEIGHT_BUFFERS
from sottovoce import cli

TINY = configs.load("tiny")
PDK = libraries.DEFAULT_PDK


def spanned(*knobs, modes=("t2_union",), base=TINY, trains=False):
    return points.span([("tiny", base, 2)], points.parse(knobs), list(modes), trains)


def test_knobs_span_every_combination_and_keep_their_types():
    found, refused = spanned("lanes=32,16", "mechanisms.merged_spikes=true,false", modes=("t2_union", "t2_unmerged"))
    assert {(p.config.lanes, p.config.mechanisms.merged_spikes, p.mode) for p in found} == {
        (32, True, "t2_union"), (16, True, "t2_union"), (32, True, "t2_unmerged"), (16, True, "t2_unmerged"),
        (32, False, "t2_unmerged"), (16, False, "t2_unmerged")}
    assert len(refused) == 2 and all("t2_union needs a mechanism that is not built" in line for line in refused)
    assert len({p.named.name for p in found}) == 4  # a machine runs all its modes under one name


def test_what_the_configuration_works_out_follows_the_knobs():
    (point,), _ = spanned("lanes=32")
    assert point.config.lif_lanes == 32
    (point,), _ = spanned("layers.neurons=24", trains=True)
    assert [layer.neurons for layer in point.config.layers] == [24, 24]
    assert point.config.accumulator_bits == point.config.accumulator_bits_needed
    (point,), _ = spanned("layers.1.neurons=24", trains=True)
    assert [layer.neurons for layer in point.config.layers] == [16, 24]


def test_a_point_is_known_by_what_is_said_of_it():
    (point,), _ = spanned("lanes=32")
    assert points.said(TINY.layers[0]) == {"neurons": 16} and "counters" not in points.said(TINY)
    assert spanned("lanes=32", "counters=true")[0][0].machine == point.machine
    assert spanned("lanes=32", "counters=false")[0][0].machine != point.machine
    assert spanned("lanes=32", "layers.1.leak_shift=1")[0][0].machine != point.machine


def test_a_machine_that_cannot_be_built_is_named_and_the_others_stay():
    found, refused = spanned("lanes=16,6")
    assert len(found) == 1 and len(refused) == 1 and "lanes=6" in refused[0] and "multiple of 4" in refused[0]
    found, refused = spanned("layers.neurons=16,24")
    assert len(found) == 1 and "--train trains a network for each size" in refused[0]
    found, refused = points.span([("tiny", TINY, 1)], {}, ["t2_union", "t1"])
    assert [p.mode for p in found] == ["t1"] and "trained for 1 time step" in refused[0]


@pytest.mark.parametrize("text, said", [
    ("lanes", "wanted FIELD=VALUE"), ("=3", "wanted FIELD=VALUE"), ("lanes=[1", "not readable"),
    ("lanes={a: 1}", "plain values"), ("lanes=", "wanted FIELD=VALUE"), ("wings=2", "no such field"),
    ("layers.9.neurons=4", "has no '9'"), ("layers.wings=4", "no such field"), ("name=x", "no such field")])
def test_a_knob_that_names_nothing_is_refused_in_a_line(text, said):
    with pytest.raises(points.KnobError, match=said) as error:
        spanned(text)
    assert "\n" not in str(error.value)


def test_a_slip_of_the_keyboard_is_not_a_million_machines():
    with pytest.raises(points.KnobError, match="at most 4096"):
        spanned(*(f"{name}={','.join(map(str, range(1, 20)))}" for name in ("lanes", "lif_lanes", "input_shift")))


def test_nothing_on_the_front_is_beaten_and_all_else_is():
    rows = [dict(a=1, b=9), dict(a=5, b=5), dict(a=9, b=1), dict(a=5, b=6), dict(a=9, b=9), dict(a=5, b=5)]
    assert front.front(rows, ["a", "b"]) == [0, 1, 2, 5]  # equals do not beat each other
    assert front.front(rows, ["a"]) == [0]


def test_a_mark_is_told_by_what_differs():
    rows = [{"knobs": {"lanes": n, "layers.0.bias": True}} for n in (8, 16)]
    assert front.knobs_of(rows[0], rows) == "lanes=8" and front.knobs_of(rows[0]) == "lanes=8 0.bias=True"


def measured(config, um2=1e6, leakage=50.0, busy=900.0, rest=20.0, cycles=300.0, macros=10.0):
    """A record of a machine that obeys the fit's law exactly."""
    sizes = estimate.parts_of(config)
    pj, reads = busy * sizes[0] + rest * sizes[1], dict.fromkeys(WEIGHT_BUFFERS, 0.0)
    leak = leakage * sum(sizes) + macros
    return {"config": config.name, "logic_um2": um2 * sum(sizes), "leakage_nj": leak, "macro_leakage_nj": macros,
            "pj_a_cycle": pj, "cycles_per_frame": cycles, "reads": reads,
            "energy_per_frame_nj": leak + cycles * pj * 1e-3}


def machines():
    found, _ = spanned("lanes=16,32,64", "outputs=16,80,160", trains=True)
    return [p.named for p in found]


def test_the_fit_finds_the_law_that_made_its_samples():
    fit = estimate.Fit([(c, measured(c)) for c in machines()])
    assert fit.um2 == pytest.approx(1e6) and fit.leakage_nj == pytest.approx(50.0)
    assert fit.pj_cycle == pytest.approx([900.0, 20.0])


def test_a_fit_to_three_machines_is_refused():
    with pytest.raises(estimate.TooFew, match="3 machine"):
        estimate.Fit([(c, measured(c)) for c in machines()[:3]])


@pytest.mark.skipif(not PDK.is_dir(), reason="no IHP views beside the checkout")
def test_the_stated_error_is_of_machines_that_the_fit_has_not_seen():
    library, samples = libraries.load("ihp-sg13g2"), []
    for c in machines():
        record = measured(c)
        sram, macros = estimate.memory_nj(c, estimate.memories.compose(c, library), record["reads"])
        record |= measured(c, macros=macros) | {"macro_leakage_nj": macros}
        record["energy_per_frame_nj"] += sram
        samples.append((c, record))
    assert estimate.left_out(samples, library) == pytest.approx((0, 0), abs=0.01)  # figures are rounded
    assert estimate.left_out(samples[:estimate.FEWEST], library)[1] < 0.01  # as few as a fit wants
    samples[0][1]["energy_per_frame_nj"] *= 2  # measured twice what the others tell
    mean, worst = estimate.left_out(samples, library)
    assert worst == pytest.approx(50, abs=0.5) and mean == pytest.approx(50 / len(samples), abs=0.5)


@pytest.fixture
def counted(monkeypatch):
    """A sweep without hardware: records as the measurement leaves them, and the machines that were asked for."""
    asked = []

    def machine(job, todo):
        asked.append(todo[0].named.lanes)
        rows = []
        for p in todo:
            row = {"config": p.named.name, "model": "m", "mode": p.mode, "knobs": dict(p.knobs), "error": None,
                   "cycles_per_frame": 10.0 * p.config.lanes, "row_reads": 1.0, "latency_ms": 1.0, "clock_khz": 100.0,
                   "library": "ihp-sg13g2", "physical": "measured", "area_um2": 1e6, "leakage_uw": 1.0,
                   "energy_per_frame_nj": float(p.config.lanes), "configuration": p.named.to_dict()}
            measure.store.write_json(measure.record_path(job["out"], p), row)
            rows.append(row)
        return rows

    monkeypatch.setattr(measure, "machine", machine)
    monkeypatch.setattr(explore, "bases", lambda args: [("tiny", TINY, 2)])
    monkeypatch.setattr(explore, "workers", lambda args: dict(backend="sequential"))
    return asked


@pytest.mark.skipif(not PDK.is_dir(), reason="no IHP views beside the checkout")
def test_a_sweep_measures_what_has_no_record_and_keeps_the_rest(counted, tmp_path, capsys):
    line = ["explore", "--out", str(tmp_path), "--mode", "t2_union", "--knob"]
    assert cli.main([*line, "lanes=16,32"]) == 0 and sorted(counted) == [16, 32]
    assert cli.main([*line, "lanes=16,32,64"]) == 0 and sorted(counted) == [16, 32, 64]
    said = capsys.readouterr().out
    assert "3 points, 2 of them measured before" in said
    kept = json.loads((tmp_path / "explore.json").read_text())
    assert [p["front"] for p in sorted(kept["points"], key=lambda p: p["cycles_per_frame"])] == [True, False, False]
    assert (tmp_path / "explore.png").stat().st_size > 5000 and "explore" in kept["recipe"]["command"]


@pytest.mark.parametrize("words, said", [
    (["--config", "tiny"], "--config and --train go together"),
    (["--train", "rsnn"], "--config and --train go together"),
    (["--model", "nowhere"], "nowhere"),
    (["--knob", "wings=3"], "no such field")])
def test_a_bad_line_is_refused_before_anything_is_built(words, said, tmp_path, capsys):
    assert cli.main(["explore", "--out", str(tmp_path / "out"), *words]) != 0
    assert said in capsys.readouterr().err and not Path(tmp_path / "out").exists()


@pytest.mark.parametrize("worst, khz, latency", [(800, 100.0, 8.0), (1000, 100.0, 8.0), (2000, 200.0, 4.0)])
def test_a_machine_that_is_slow_gets_the_clock_that_it_needs(worst, khz, latency):
    (point,), _ = spanned()
    model = SimpleNamespace(config=TINY, manifest={}, sha256="")
    cycles, reads = np.array([worst, 1600 - worst]), np.zeros((2, len(WEIGHT_BUFFERS)))
    row = measure.record(point, model, (cycles, reads, 1, ""), "", SimpleNamespace(name="", corner=""))
    assert (row["clock_khz"], row["latency_ms"], row["cycles_worst"]) == (khz, latency, worst)


def test_a_training_that_fails_is_told_with_its_last_line(tmp_path):
    (point,), _ = spanned()
    with pytest.raises(ValueError, match="training ended with status 1: error: model .nonsense"):
        measure.train(["nonsense"], point, tmp_path)
