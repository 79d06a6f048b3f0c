"""Nets of two names become buffers, which no reader can merge, and which a place and route tool cannot lose."""

from types import SimpleNamespace

from hw.flow.lib import aliases

BUFFER = SimpleNamespace(name="BUF", inputs=[SimpleNamespace(name="A")], outputs=[SimpleNamespace(name="X")])
NETLIST = """module a(open, ready, wide, out);
  input open;
  wire open;
  output ready;
  input [3:0] wide;
  output [5:0] out;
  assign ready = open;
  assign out[5] = ready;
  assign out[3:0] = wide;
  assign out[4] = 1'h0;
endmodule

module b(x, y);
  input x;
  output y;
  assign y = x;
endmodule
"""


def test_each_bit_of_an_assign_gets_a_buffer():
    text = aliases.buffered(NETLIST, BUFFER)
    assert "  BUF alias_0 (.A(open), .X(ready));\n  BUF alias_1 (.A(ready), .X(out[5]));\n" in text
    assert [f"alias_{5 - i} (.A(wide[{i}]), .X(out[{i}]))" in text for i in range(4)] == [True] * 4
    assert text.count("BUF") == 7 and text.count("alias_0") == 2  # counted anew in each module


def test_constants_and_the_rest_stay():
    text = aliases.buffered(NETLIST, BUFFER)
    assert "  assign out[4] = 1'h0;\n" in text
    assert [line for line in text.splitlines() if "BUF" not in line] == \
        [line for line in NETLIST.splitlines() if "assign" not in line or "1'h0" in line]


def test_concatenations_are_taken_bit_by_bit():
    ranges = {"wide": (3, 0), "low": (7, 2)}
    assert aliases.bits("{ wide[2:1], one, low }", ranges) == ["wide[2]", "wide[1]", "one"] + [
        f"low[{i}]" for i in range(7, 1, -1)]
    assert aliases.bits("{ one, 2'h3 }", ranges) is None
