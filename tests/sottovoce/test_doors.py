"""Every bad input of the table is refused in one line, and damaged files are read or refused."""

import pytest

from sottovoce import doors, fuzz
from sottovoce.bad_inputs import Case

CASES = doors.cases()


@pytest.mark.parametrize("kind", list(dict.fromkeys(case.kind for case in CASES)))
def test_bad_inputs_are_refused_in_one_line_and_leave_nothing(kind):
    bad = {case.name: verdict.why for case in CASES if case.kind == kind and (verdict := doors.tried(case)).why}
    assert not bad


def test_there_are_as_many_as_are_claimed_and_no_two_alike():
    assert len(CASES) >= 120
    assert len({(c.kind, c.name) for c in CASES}) == len(CASES)


@pytest.mark.parametrize("case, why", [
    (Case("good", "help", ("describe", "tiny"), ""), "taken"),
    (Case("good", "another reason", ("describe", "papper"), "no such reason"), "does not say"),
    (Case("good", "a traceback", ("describe", "x"), "", None), "traceback"),
], ids=lambda value: value if isinstance(value, str) else value.name)
def test_what_is_not_handled_is_noticed(case, why, monkeypatch):
    if case.prepare is None:
        case = case._replace(prepare=lambda folder: monkeypatch.setattr(doors.cli, "main", lambda words: 1 / 0))
    assert why in doors.tried(case).why


def test_damaged_files_are_read_or_refused():
    found = fuzz.run(60, seed=0)
    assert found["faults"] == []
    assert found["read"] and found["refused"] > found["tried"] / 4
