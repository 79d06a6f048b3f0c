"""Power from Liberty tables, by hand: one inverter, one state, one toggle count."""

import numpy as np
import pytest

from hw.flow.lib import liberty, liberty_power

LIBRARY = """library (l) { capacitive_load_unit (1, pf); leakage_power_unit : "1nW"; nom_voltage : 2.0;
  power_lut_template (t) { variable_1 : input_transition_time; variable_2 : total_output_net_capacitance;
    index_1 ("0.0, 0.2"); index_2 ("0.0, 1.0"); }
  cell (NAND) { area : 1; cell_leakage_power : 9;
    leakage_power () { when : "A&B"; value : 4; } leakage_power () { when : "!A"; value : 2; }
    pin (A) { direction : input; capacitance : 0.5; } pin (B) { direction : input; capacitance : 0.5; }
    pin (Y) { direction : output; function : "!(A&B)";
      internal_power () { related_pin : "A"; when : "B";
        rise_power (t) { values ("1, 3", "3, 5"); } fall_power (t) { values ("0, 0", "0, 0"); } }
      internal_power () { related_pin : "B";
        rise_power (t) { values ("10, 10", "10, 10"); } fall_power (t) { values ("10, 10", "10, 10"); } } } } }
"""


@pytest.fixture
def tables(tmp_path):
    (tmp_path / "l.lib").write_text(LIBRARY)
    library = liberty.read(tmp_path / "l.lib")
    templates = {g.names[0]: g for g in library.group.all("power_lut_template")}
    return liberty_power.Tables(library.cells["NAND"], templates, 1.0, 1.0)


def one(**values):
    return {k: np.array([v], float) for k, v in values.items()}


def test_internal_energy_is_interpolated_and_weighted(tables):
    # at 0.1 ns and 0.5 pF: rise 3 pJ, fall 0, a toggle 1.5; B's table: 10
    load, high = one(Y=0.5, A=0, B=0), one(A=0.5, B=1.0, Y=0.5)
    assert tables.internal(one(A=8, B=0, Y=6), high, load)[0] == pytest.approx(6 * 1.5)
    # as many toggles of B: half of Y's are priced by each table
    assert tables.internal(one(A=4, B=4, Y=6), high, load)[0] == pytest.approx(6 * (1.5 + 10) / 2)


def test_leakage_follows_the_state(tables):
    assert tables.static(one(A=1.0, B=1.0, Y=0), 1.0)[0] == 4
    assert tables.static(one(A=0.0, B=1.0, Y=1), 1.0)[0] == 2
    assert tables.static(one(A=1.0, B=0.0, Y=1), 1.0)[0] == 9   # no state given: the cell's
    assert tables.static(one(A=0.5, B=0.5, Y=1), 1.0)[0] == pytest.approx(0.25 * 4 + 0.5 * 2 + 0.25 * 9)


def test_activity_is_read_back(tmp_path):
    (tmp_path / "a.saif").write_text(
        '(SAIFILE (SAIFVERSION "2.0") (DIRECTION "backward") (DIVIDER /) (TIMESCALE 1 ns) (DURATION 100)\n'
        "(INSTANCE accelerator\n(INSTANCE lif\n(INSTANCE g1\n(NET (A (T0 75) (T1 25) (TX 0) (TC 3)) "
        "(Y (T0 50) (T1 50) (TX 0) (TC 7)))\n)\n)\n))\n")
    found, duration = liberty_power.read_saif(tmp_path / "a.saif")
    assert found == {"lif/g1": {"A": (3, 0.25), "Y": (7, 0.5)}} and duration == 100


def test_without_tables_an_output_charges_its_own_drain(tables):
    # V = 2: 6 toggles x 0.5 pF x 4 / 2
    assert liberty_power.modelled(tables.cell, one(A=8, B=0, Y=6), 0.5, 2.0)[0] == pytest.approx(6.0)
