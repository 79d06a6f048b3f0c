import pytest
from toy import LIBERTY

from hw.flow.lib import cell_models, liberty, library
from hw.flow.lib.errors import FlowError


@pytest.fixture
def toy(tmp_path):
    path = tmp_path / "toy.lib"
    path.write_text(LIBERTY)
    return path


def test_cells_have_area_leakage_pins_and_storage(toy):
    cells = liberty.read(toy).cells
    assert (cells["NAND"].area, cells["NAND"].leakage) == (1.5, 2.0)
    assert [p.name for p in cells["NAND"].inputs] == ["A", "B"]
    assert cells["DFF"].storage[0] == "ff" and cells["LATCH"].storage[0] == "latch"


def test_a_library_by_path_finds_its_cells_by_function(toy):
    found = library.load(str(toy))
    assert (found.nand2, found.buffers, found.tie_high[0], found.tie_low[0]) == ("NAND", ("BUF",), "HIGH", "LOW")
    assert found.gates(15) == 10


@pytest.mark.parametrize("text, message", [
    ("library (x) { cell (a) {", "truncated"), ("}", "unmatched"), ("library (x) { }", "no cell")])
def test_a_damaged_file_is_named(tmp_path, text, message):
    path = tmp_path / "bad.lib"
    path.write_text(text)
    with pytest.raises(FlowError, match=message) as error:
        liberty.read(path)
    assert "bad.lib" in str(error.value)


def test_unknown_libraries_and_folders_are_refused_by_name(tmp_path):
    with pytest.raises(FlowError, match="--lib tsmc28: wanted"):
        library.load("tsmc28")
    with pytest.raises(FlowError, match="no such folder"):
        library.load("ihp-sg13g2", tmp_path / "nowhere")
    with pytest.raises(FlowError, match="corner='hot'"):
        library.load("nangate45", corner="hot")


@pytest.mark.parametrize("function, verilog", [
    ("!((A1*A2)+B1)", "~((A1 & A2) | B1)"), ("A B + C'", "((A & B) | ~C)"), ("A ^ B & C", "((A ^ B) & C)"),
    ("(S*D1)+(S'*D0)", "((S & D1) | (~S & D0))"), ("1", "1'b1")])
def test_liberty_functions_become_verilog(function, verilog):
    assert cell_models.expression(function) == verilog


@pytest.mark.parametrize("function", ["A &", "(A", "A ) B"])
def test_a_broken_function_is_quoted(function):
    with pytest.raises(FlowError, match="Liberty function"):
        cell_models.expression(function)


def test_every_cell_of_the_pdk_has_a_model(ihp):
    usable = [n for n, c in ihp.cells.cells.items() if c.outputs and c.gating in ("", "latch_posedge")
              and all(p.function and not p.three_state for p in c.outputs if not c.gating)]
    text = cell_models.library(ihp.cells.cells, usable)
    assert text.count("endmodule") == len(usable) > 60
