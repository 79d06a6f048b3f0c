import json

import numpy as np
import pytest

from cosim.bench.packing import pack, unpack
from cosim.bench.scoreboard import Scoreboard


def test_counts_and_names_the_first_difference(tmp_path):
    record = tmp_path / "record.jsonl"
    expected = np.zeros((2, 2, 2, 3))
    got = expected.copy()
    got[1, 0, 1, 2] = 5
    got[1, 1, 1, 2] = 7
    axes = ("frame", "layer", "time step", "neuron")
    with pytest.raises(AssertionError, match="2 of 25 values differ, first potential, run t1, frame 1, layer 0, "
                                             "time step 1, neuron 2: expected 0, got 5"):
        with Scoreboard("demo", record) as board:
            board.check("cycles", 7, 7)
            board.check("potential", expected, got, axes=axes, run="t1")
    line = json.loads(record.read_text())
    assert line["signals"] == {"cycles": [1, 0], "potential": [24, 2]}


def test_wrong_shape_is_a_difference():
    with pytest.raises(AssertionError, match=r"logit, frame 0: expected shape \(3,\), got \(2,\)"):
        with Scoreboard("demo") as board:
            board.check("logit", [1, 2, 3], [1, 2], frame=0)


def test_nothing_compared_is_a_failure():
    with pytest.raises(AssertionError, match="nothing was compared"):
        with Scoreboard("demo"):
            pass


def test_record_survives_another_error(tmp_path):
    record = tmp_path / "record.jsonl"
    with pytest.raises(RuntimeError, match="hung"):
        with Scoreboard("demo", record) as board:
            board.check("logit", 1, 1)
            raise RuntimeError("hung")
    assert json.loads(record.read_text())["signals"] == {"logit": [1, 0]}


@pytest.mark.parametrize(("values", "width", "signed"), [
    ([-4096, 4095, -1, 0, 5], 13, True), ([1, 0, 1, 1], 1, False), ([-8, 7], 4, True), ([2**31 - 1, -2**31], 32, True)])
def test_packing_round_trip(values, width, signed):
    assert unpack(pack(values, width), width, len(values), signed).tolist() == values


def test_lane_0_is_in_the_low_bits():
    assert pack([-8, 7, 1], 4) == 0x178
