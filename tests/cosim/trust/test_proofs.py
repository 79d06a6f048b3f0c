"""What is proved is proved, and of a broken block it is not. The quick ones here, the rest nightly."""

import pytest

from cosim.errors import CosimError
from cosim.trust import proofs
from hw import input_buffer

QUICK = ("input_buffer", "load_port")


@pytest.mark.parametrize("name", [pytest.param(name, marks=[] if proof.block in QUICK else pytest.mark.slow)
                                  for name, proof in proofs.PROOFS.items()])
def test_is_proved_and_notices_its_broken_line(name):
    found = proofs.row(proofs.PROOFS[name])
    assert (found["result"], found["broken_result"]) == ("proved", "counterexample")


def test_there_are_seven_families():
    assert len({proof.block for proof in proofs.PROOFS.values()}) >= 7


def test_a_line_that_is_not_there_cannot_be_broken():
    with pytest.raises(CosimError, match="hw.input_buffer has no line 'nowhere'"):
        proofs.rewritten(input_buffer, "nowhere", "")
