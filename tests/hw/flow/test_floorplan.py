"""Where macros go and which way they look, how large a die is, and views that place and route can live with."""

import json
from types import SimpleNamespace

import pytest

from hw.flow.lib import floorplan, layout_settings, other_flows
from hw.flow.lib.errors import FlowError

LEF = "SITE CoreSite\n  SIZE 0.48 BY 3.78 ;\nEND CoreSite\n" + "".join(
    f"MACRO {name}\n  CLASS BLOCK ;\n  SIZE 784.48 BY {tall} ;\nEND {name}\n" for name, tall in
    (("RAM", 64.36), ("DEEP", 336.46)))
SITE = (0.48, 3.78)


@pytest.fixture
def lef(tmp_path):
    (tmp_path / "ram.lef").write_text(LEF)
    return [tmp_path / "ram.lef"]


def boxes(plan, macros, lef):
    """(left, low, right, high, orientation) of each macro of a plan."""
    out = []
    for name, place in zip(plan["macro_names"], plan["macro_places"], strict=True):
        x, y, orient = place.split()
        w, h = floorplan.macro_size(lef, macros[name])
        out.append((float(x), float(y), float(x) + w, float(y) + h, orient))
    return out


@pytest.mark.parametrize("count", [1, 2, 5, 16, 40])
def test_macros_lie_in_the_core_and_apart(lef, count):
    macros = {f"b{i // 8}_weights/macro_0_{i % 8}": "DEEP" if i % 3 == 0 else "RAM" for i in range(count)}
    plan = floorplan.with_macros(macros, lef, 2.4e5, 60, SITE)
    left, low, right, high = map(float, plan["core_area"].split())
    found = boxes(plan, macros, lef)
    assert sorted(plan["macro_names"]) == sorted(macros)
    for i, (x0, y0, x1, y1, _) in enumerate(found):
        assert left + floorplan.GAP <= x0 + 1e-6 and x1 + floorplan.GAP <= right + 1e-6
        assert low <= y0 + 1e-6 and y1 <= high + 1e-6
        for a0, b0, a1, b1, _ in found[:i]:
            apart_x, apart_y = max(x0 - a1, a0 - x1), max(y0 - b1, b0 - y1)
            assert apart_x >= floorplan.GAP - 1e-6 or apart_y >= 2 * floorplan.HALO - 1e-6
    assert 0.2 < (high - low) / (right - left) < 5


@pytest.mark.parametrize("count", [1, 2, 5, 16, 40])
def test_every_macro_looks_at_a_band_of_cells(lef, count):
    """Pins are on the lower edge of an upright macro, the upper one of a macro turned over: there must be room."""
    macros = {f"b{i // 8}_weights/macro_0_{i % 8}": "DEEP" if i % 3 == 0 else "RAM" for i in range(count)}
    plan = floorplan.with_macros(macros, lef, 2.4e5, 60, SITE)
    found = boxes(plan, macros, lef)
    high = float(plan["core_area"].split()[3])
    for x0, y0, x1, y1, orient in found:
        near, far = (y0 - floorplan.BAND, y0) if orient == "R0" else (y1, y1 + floorplan.BAND)
        assert near >= 0 and far <= high + 1e-6
        for a0, b0, a1, b1, _ in found:
            assert a1 <= x0 or a0 >= x1 or b1 <= near + 1e-6 or b0 >= far - 1e-6


def test_low_bands_between_rows_of_one_macro_are_joined(lef):
    """Five wide macros and few cells: bands of 70 um between pairs, over which no net can cross, left an overflow."""
    macros = {f"m{i}_weights/macro_0_0": "RAM" for i in range(5)}
    plan = floorplan.with_macros(macros, lef, 9.6e4, 55, SITE)
    found = sorted(boxes(plan, macros, lef), key=lambda box: box[1])
    assert [box[4] for box in found] == ["MX", "MX", "MX", "R0", "R0"]
    gaps = [b[1] - a[3] for a, b in zip(found, found[1:], strict=False)]
    assert [gaps[i] for i in (0, 1, 3)] == pytest.approx([floorplan.CHANNEL] * 3)
    assert gaps[2] > 100 and len({box[0] for box in found}) == 1


@pytest.mark.parametrize(("rows", "height", "bands"), [(5, 201, 1), (5, 240, 2), (5, 466, 3), (2, 100, 1), (1, 50, 1),
                                                       (7, 100, 2), (12, 50, 2), (13, 50, 3)])
def test_three_rows_at_most_share_an_edge(rows, height, bands):
    single = [["m"]] * rows
    assert floorplan.bands_of(single, height) == bands
    edges = floorplan.edges_of(single, bands)
    assert edges == sorted(edges) and max(edges.count(e) for e in edges) <= 3 and max(edges) < 2 * bands


def test_rows_of_several_macros_have_a_band_each():
    rows = [["a", "b"]] * 4
    assert floorplan.bands_of(rows, 50) == 2 and floorplan.edges_of(rows, 2) == [0, 1, 2, 3]


def test_the_room_for_cells_is_what_was_asked_for(lef):
    macros = {f"m_weights/macro_0_{i}": "RAM" for i in range(5)}
    plan = floorplan.with_macros(macros, lef, 2.4e5, 60, SITE)
    left, low, right, high = map(float, plan["core_area"].split())
    covered = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1, _ in boxes(plan, macros, lef))
    assert (right - left) * (high - low) - covered >= 2.4e5 / 0.6


def test_the_die_of_the_largest_configuration_is_little_more_than_its_content(lef):
    """Once 19.2 mm2 for 7.9 of cells and macros."""
    macros = {f"b{i // 8}_weights/macro_0_{i % 8}": "DEEP" if i < 16 else "RAM" for i in range(40)}
    plan = floorplan.with_macros(macros, lef, 1.77e6, 60, SITE)
    _, _, wide, tall = map(float, plan["die_area"].split())
    content = 1.77e6 + sum(w * h for m in macros.values() for w, h in [floorplan.macro_size(lef, m)])
    assert wide * tall <= 1.4 * content


def test_macros_of_one_column_of_a_buffer_share_a_column_of_the_floorplan():
    macros = {f"{name}_weights/macro_0_{i}": "RAM" for name in ("fc0", "fc1") for i in range(8)}
    rows = floorplan.rows_of(macros, {"RAM": (784.48, 64.36)}, 4)
    assert all([int(name[-1]) % 4 for name in row] == [0, 1, 2, 3] for row in rows)


def test_a_block_grows_for_its_ports_and_stands_on_the_grid():
    small = floorplan.block(1e4, 60, SITE, pins=10)
    many = floorplan.block(1e4, 60, SITE, pins=4000)
    sides = [float(plan["core_area"].split()[2]) - float(plan["core_area"].split()[0]) for plan in (small, many)]
    assert 129 <= sides[0] <= 130 and sides[1] >= 4000 * 0.96 / 4
    for plan in (small, many):
        for value, step in zip(map(float, plan["core_area"].split()), SITE * 2, strict=True):
            assert abs(value / step - round(value / step)) < 1e-6
        assert float(plan["core_area"].split()[0]) >= floorplan.MARGIN  # the ring stands outside the core


@pytest.mark.parametrize(("length", "pitch"), [(40, 18.16), (20, 12), (3000, 75.6), (100, 45.44)])
def test_straps_stand_closer_in_a_small_block(length, pitch):
    assert floorplan.strap_pitch(length) == pitch
    assert round(pitch / 4 / 0.005, 6) % 1 == 0  # the offset lies on the manufacturing grid
    assert length < 24 or length / floorplan.strap_pitch(length) >= 2


def test_a_macro_without_abstract_is_named(lef):
    with pytest.raises(FlowError, match="sram_model_8x64: no LEF"):
        floorplan.macro_size(lef, "sram_model_8x64")


def test_loads_in_farad_become_picofarad(tmp_path):
    wrong, right = tmp_path / "wrong.lib", tmp_path / "right.lib"
    wrong.write_text('max_capacitance  : "6.4e-14" ;')
    right.write_text("max_capacitance : 0.3 ;")
    new, same = layout_settings.mended([wrong, right], tmp_path / "views")
    assert new.read_text() == 'max_capacitance  : "0.064" ;' and same == right


def test_other_flows_get_the_same_layout(tmp_path, lef):
    plan = floorplan.with_macros({"a/macro_0_0": "RAM"}, lef, 1e5, 50, SITE)
    values = {"top": "accelerator", "clock_period": 20.0, "density": 0.6, "lefs": lef, "netlist": "n.v",
              "liberties": ["typ", ["a.lib", "m.lib"]], "driving_cell": "BUF", "load_pf": 0.02,
              "route_adjustment": 0.2, "signal_layers": "Metal2-Metal5", "fillers": ["FILL1"], **plan}
    other_flows.write(values, SimpleNamespace(name="lib"), tmp_path)
    name, orient, x, y = (tmp_path / "macros.cfg").read_text().split()  # orientation before the place
    assert (name, orient) == ("a/macro_0_0", "R0") and f"{x} {y} R0" == plan["macro_places"][0]
    mk, lane = (tmp_path / "config.mk").read_text(), json.loads((tmp_path / "config.json").read_text())
    assert "export MAX_ROUTING_LAYER = Metal5" in mk and lane["RT_MAX_LAYER"] == "Metal5"
    assert lane["DIE_AREA"] == [float(v) for v in plan["die_area"].split()] and plan["die_area"] in mk
