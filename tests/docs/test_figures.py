"""Figures that README and start-here quote are those kept in docs/results, to the last digit shown."""

import json
import re
from statistics import mean, stdev

import pytest
from documents import ROOT

RESULTS = {path.stem: json.loads(path.read_text()) for path in (ROOT / "docs/results").glob("*.json")}
CYCLES, TRAINING, KEYWORDS = RESULTS["accelerator"], RESULTS["training"]["rows"], RESULTS["keywords"]["rows"]
NETWORKS = RESULTS["networks"]["rows"]
OURS = [row for row in NETWORKS if row["source"] == "shipped" or row["source"].startswith(("made", "random"))]
THEIRS = [row for row in NETWORKS if row["source"].endswith(".nir")]
PAPER = next(row for row in RESULTS["physical"]["rows"] if [row[k] for k in ("config", "library", "corner", "variant")]
             == ["paper", "ihp-sg13g2", "typ", "default"])


def errors(stage):
    """Phone error rates of a stage of `paper`, fold by fold."""
    return [row["per"] for row in TRAINING if row["stage"] == stage and row["config"] == "paper"]


def accuracy(model):
    return f"{mean(row['accuracy'] for row in KEYWORDS if row['model'] == model):.1f} %"


def real(*modes):
    return " / ".join(f"{CYCLES[f'cycles_{mode}_real']}" for mode in modes)


def reads(way):
    return f"{CYCLES[f'recurrent_row_reads_{way}']:.0f}"



def heard(activity):
    """Microwatts of `paper` at the typical corner, a frame in 10 ms."""
    found, = [row["power_uw"] for row in RESULTS["physical"]["frame_energy"]
              if (row["config"], row["corner"], row["activity"]) == ("paper", "typ", activity)]
    return f"{found:.1f}"


README = [  # how the row's first cell begins, what the row says
    ("two time steps, no merged spikes", str(CYCLES["cycles_t2_unmerged"])),
    ("two time steps, merged spikes", str(CYCLES["cycles_t2_merged"])),
    ("… saved by merging", f"{100 * CYCLES['merging_saves']:.1f} %"),
    ("two time steps, union skip", str(CYCLES["cycles_t2_union"])),
    ("one time step", str(CYCLES["cycles_t1"])),
    ("row reads of the recurrent layers", f"{reads('sequential')} → {reads('parallel')} ({reads('union')})"),
    ("weights and the index", f"{min(r['bytes'] for r in TRAINING if r['stage'] == 'final') / 1e6:.2f} MB"),
    ("… without the index",
     f"{min(r['bytes_without_mask'] for r in TRAINING if r['stage'] == 'final') / 1e6:.2f} MB"),
    ("power, a frame in 10 ms", f"{heard('recording')} µW ({heard('published')} µW at the published activity)"),
    ("area, logic + SRAM", f"{PAPER['logic_um2'] / 1e6:.2f} + {PAPER['sram_area_um2'] / 1e6:.2f} mm²"),
    ("values compared, RTL against golden", f"{CYCLES['values_compared']:,}"),
    ("cycles a frame, as published", real("t2_merged", "t2_union", "t1")),
    ("phone error rate", f"{mean(errors('final')):.1f} % ± {stdev(errors('final')):.1f}"),
    ("… of an LSTM", f"{mean(errors('lstm')):.1f} %, {mean(errors('gru')):.1f} %"),
    ("DS-CNN", accuracy("tiny-kws")),
    ("BC-ResNet-1", accuracy("bcresnet-1")),
    ("SparkNet-32", accuracy("sparknet-32")),
    ("the spiking network on the accelerator", accuracy("rsnn-keywords")),
    ("values: ", f"{len(OURS)} configurations"),
    ("values: ", f"{sum(row['values_compared'] for row in OURS):,}"),
    ("values: ", f"{sum(row['values_compared'] for row in THEIRS):,}"),
    ("accesses of random software", f"{sum(bus['bus_transactions'] for bus in RESULTS['system']['buses']):,}"),
    ("words: ", f"| {max(run['soc_words_equal'] for run in RESULTS['system']['soc'])} |"),
]


@pytest.mark.parametrize(("begins", "says"), README)
def test_the_readme_says_what_was_measured(begins, says):
    rows = re.findall(rf"^\| {re.escape(begins)}.*$", (ROOT / "README.md").read_text(), re.M)
    assert [row for row in rows if says in row], f"wanted {says} in {rows or f'a row that begins with {begins!r}'}"


def test_nothing_differs_where_the_readme_says_so():
    assert CYCLES["differences"] == 0 and not [row for row in NETWORKS if row["differences"]]
    assert not [bus for bus in RESULTS["system"]["buses"] if bus["hangs"] or bus["wrong_logits"] or bus["differences"]]


@pytest.mark.parametrize("mode", ["t1", "t2_sequential", "t2_unmerged", "t2_merged", "t2_union"])
def test_start_here_has_the_measured_cycles(mode):
    assert re.search(rf"^\| `{mode}` .*\| {CYCLES[f'cycles_{mode}']} \|$",
                     (ROOT / "docs/start-here.md").read_text(), re.M)
