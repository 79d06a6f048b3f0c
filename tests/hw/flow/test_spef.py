"""Extracted wires are read by driver, in pF."""

import pytest

from hw.flow.lib import spef
from hw.flow.lib.errors import FlowError

SPEF = """*SPEF "ieee 1481-1999"
*DESIGN "lif"
*C_UNIT 1.0 FF
*NAME_MAP
*1 clk
*2 net5
*10 buf\\[3\\]
*11 flop
*PORTS
*1 I

*D_NET *1 12.5
*CONN
*P *1 I
*I *10:A I *D sg13g2_buf_4
*CAP
1 *1:1 12.5
*END

*D_NET *2 20
*CONN
*I *10:X O *D sg13g2_buf_4
*I *11:CLK I *D sg13g2_dfrbp_1
*CAP
1 *2:1 15
2 *2:1 *1:1 5
*RES
1 *2:1 *11:CLK 3.0
*END
"""


@pytest.mark.parametrize("inside, path", [("", "buf[3]"), ("lif0", "lif0/buf[3]")])
def test_a_driver_sees_the_wires_of_its_net(tmp_path, inside, path):
    (tmp_path / "a.spef").write_text(SPEF)
    assert spef.of({inside: tmp_path / "a.spef"}) == {(path, "X"): pytest.approx(0.02)}


def test_a_file_without_units_is_refused(tmp_path):
    (tmp_path / "a.spef").write_text(SPEF.replace("*C_UNIT", "*X_UNIT"))
    with pytest.raises(FlowError, match="C_UNIT"):
        spef.wire_loads(tmp_path / "a.spef")
