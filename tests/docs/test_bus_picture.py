"""What docs/bus-timing.png shows is what docs/system.md says of the buses."""

import sys

import pytest
from documents import ROOT

pytest.importorskip("systemrdl", reason="pip install 'sottovoce[system]'")
sys.path.insert(0, str(ROOT / "docs/site"))
import draw_bus  # noqa: E402

PAGE = (ROOT / "docs/system.md").read_text()


def rises(values):
    return [i for i, (before, now) in enumerate(zip([0, *values], values, strict=False)) if now and not before]


def test_wishbone_answers_in_the_next_cycle():
    seen = draw_bus.wishbone()
    assert [i + 1 for i in rises(seen["wb_stb"])] == sorted(rises(seen["wb_ack"]) + rises(seen["wb_err"]))
    assert len(rises(seen["wb_ack"])) == 2 and len(rises(seen["wb_err"])) == 1
    assert "in the next cycle" in PAGE


def test_axi_answers_three_cycles_after_address_and_data():
    seen = draw_bus.axi()
    both = max(seen["s_axil_awvalid"].index(1), seen["s_axil_wvalid"].index(1))
    reads = rises(seen["s_axil_arvalid"])
    answers = rises(seen["s_axil_bvalid"]), rises(seen["s_axil_rvalid"])
    assert sorted((answers[0][0], answers[1][0]))[0] == both + 3 and len(answers[0]) == 1 and len(answers[1]) == 2
    assert abs(answers[0][0] - answers[1][0]) == 2  # they take turns
    assert answers[1][1] == reads[1] + 3 and seen["s_axil_rresp"][answers[1][1]] == 3
    assert "three cycles after address and data have come" in PAGE


def test_the_picture_is_there_and_small():
    assert draw_bus.TARGET.stat().st_size < 200_000 and "bus-timing.png" in PAGE
