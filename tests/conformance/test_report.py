"""What differs, as a table and as a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance import __main__ as command
from conformance import play, report
from conformance.scenario import DONE, ENDED, SCENARIOS, Row, Seen, scenario

NAME = "a renewal is paid"


def row(what: str, found: object, expected: object = "active") -> Row:
    return Row(NAME, what, expected, found)


def test_what_agrees_is_not_in_the_table() -> None:
    assert report.table({"simulator": [row("status", "active")]}) == "Nothing differs."


def test_a_difference_shows_what_each_side_found() -> None:
    sides = {"simulator": [row("status", "active"), row("x", "active")], "stripe": [row("status", "past_due")]}

    head, *lines = report.table(sides).splitlines()

    assert head.split() == ["scenario", "what", "expected", "simulator", "stripe"]
    assert [" ".join(line.split()) for line in lines] == [
        f"{NAME} status active active past_due",
        f"{NAME} x active active –",
    ]


def test_what_the_simulator_refuses_by_name_is_left_out_and_no_failure() -> None:
    left_out = row(ENDED, "not_simulated: It does not do this.", DONE)

    assert report.is_well([row("status", "active"), left_out])
    assert not report.is_well([row("status", "past_due")])
    assert "2 comparisons, 1 agree, 1 scenarios left out" in report.summary(
        {"simulator": [row("s", "active"), left_out]}
    )


def test_the_file_has_every_comparison_and_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("STRIPE_TEST_SECRET_KEY", raising=False)
    output = tmp_path / "conformance.json"

    assert command.main(["--only", "renewal is paid", "--output", str(output)]) == 0

    kept = json.loads(output.read_text())
    assert kept["pages"][NAME].startswith("https://docs.stripe.com/")
    assert {each["side"] for each in kept["rows"]} == {"simulator"}
    assert all(each["expected"] == each["found"] for each in kept["rows"])
    assert "sk_test" not in output.read_text()
    assert "Nothing differs." in capsys.readouterr().out


def test_a_difference_is_exit_status_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STRIPE_TEST_SECRET_KEY", raising=False)
    monkeypatch.setattr(play, "on_the_simulator", lambda names: [row("status", "past_due")])

    assert command.main(["--output", str(tmp_path / "c.json")]) == 1


def test_a_name_that_no_scenario_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "nothing of the kind"]) == 2
    assert "--list" in capsys.readouterr().err


def test_the_list_names_a_page_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    assert capsys.readouterr().out.count("https://docs.stripe.com/") == len(SCENARIOS)


def test_a_row_that_was_read_back_is_the_same() -> None:
    seen = Seen(NAME)
    seen("tuples and sets", [(1, {"b", "a"})], [(1, {"a", "b"})])
    [one] = seen.rows

    assert one.agrees
    assert one.found == json.loads(json.dumps(one.found)) == [[1, ["a", "b"]]]


def test_two_scenarios_have_two_names() -> None:
    def a_renewal_is_paid(account: object, seen: Seen) -> None:
        """A second one of this name."""

    with pytest.raises(ValueError, match="already"):
        scenario("refunds")(a_renewal_is_paid)
