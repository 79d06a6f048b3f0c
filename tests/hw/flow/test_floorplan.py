"""Where macros go, and views that place and route can live with."""

import pytest

from hw.flow import openroad
from hw.flow.lib.errors import FlowError

LEF = "MACRO RAM\n  CLASS BLOCK ;\n  SIZE 784.48 BY 64.36 ;\nEND RAM\n"


@pytest.fixture
def lef(tmp_path):
    (tmp_path / "ram.lef").write_text(LEF)
    return [tmp_path / "ram.lef"]


@pytest.mark.parametrize("count", [1, 5, 40])
def test_macros_lie_in_the_core_apart_and_above_the_cells(lef, count):
    plan = openroad.floorplan({f"m{i}": "RAM" for i in range(count)}, lef, 2.4e5, 50)
    left, low, right, high = map(float, plan["core_area"].split())
    corners = [tuple(map(float, place.split()[:2])) for place in plan["macro_places"]]
    for x, y in corners:
        assert left + openroad.HALO <= x and x + 784.48 + openroad.HALO <= right
        assert low <= y and y + 64.36 <= high
    for i, (x, y) in enumerate(corners):
        for other_x, other_y in corners[:i]:
            assert abs(x - other_x) >= 784.4 + openroad.HALO or abs(y - other_y) >= 64.3 + openroad.HALO
    below = min(y for _, y in corners) - low
    assert below * (right - left) >= 2.4e5 / 0.5
    assert 0.3 < (high - low) / (right - left) < 3.5


def test_a_block_without_macros_is_left_to_its_utilisation(lef):
    assert openroad.floorplan({}, lef, 1e5, 50)["die_area"] == ""


def test_a_macro_without_abstract_is_named(lef):
    with pytest.raises(FlowError, match="sram_model_8x64: no LEF"):
        openroad.macro_size(lef, "sram_model_8x64")


def test_loads_in_farad_become_picofarad(tmp_path):
    wrong, right = tmp_path / "wrong.lib", tmp_path / "right.lib"
    wrong.write_text('max_capacitance  : "6.4e-14" ;')
    right.write_text("max_capacitance : 0.3 ;")
    new, same = openroad.mended([wrong, right], tmp_path / "views")
    assert new.read_text() == 'max_capacitance  : "0.064" ;' and same == right


def test_flow_scripts_get_orientation_before_the_place(tmp_path, lef):
    from types import SimpleNamespace
    plan = openroad.floorplan({"a/m": "RAM"}, lef, 1e5, 50)
    values = {"top": "accelerator", "clock_period": 20.0, "utilisation": 50, "density": 0.6, "lefs": lef,
              "netlist": "n.v", "liberties": ["a.lib"], "driving_cell": "BUF", "load_pf": 0.02, "route_adjustment": 0.2,
              **plan}
    openroad.flow_scripts_config(values, SimpleNamespace(name="lib"), tmp_path)
    name, orient, x, y = (tmp_path / "macros.cfg").read_text().split()
    assert (name, orient) == ("a/m", "R0") and f"{x} {y} R0" == plan["macro_places"][0]
