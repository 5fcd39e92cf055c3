"""The run at Stripe, on a simulator with test clocks: what it asks first, what it makes, what it leaves behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import stripe

from conformance import __main__ as command
from conformance import play, real
from conformance.account import DAY, START
from conformance.real import LONGEST_STEP, PATIENCE_SECONDS, RefusedKey, Shelf, StripeAccount
from conformance.scenario import SCENARIOS
from tests.conformance.clocks import ClockedClient, client_of

RENEWAL = "a renewal is paid"


@pytest.fixture
def at_stripe() -> ClockedClient:
    return ClockedClient()


def patient(client: Any, shelf: Shelf) -> StripeAccount:
    return StripeAccount(client, shelf, wait=lambda seconds: None)


def left_behind(at_stripe: ClockedClient) -> list[str]:
    world = at_stripe.simulator
    prices = [price["id"] for price in world.all("price") if price["active"]]
    products = [product["id"] for product in world.all("product") if product["active"]]
    customers = [customer["id"] for customer in world.all("customer") if not customer.get("deleted")]
    return [*prices, *products, *customers, *at_stripe.clocks]


def test_a_scenario_is_played_by_a_test_clock_and_leaves_nothing(at_stripe: ClockedClient) -> None:
    said: list[str] = []

    rows = play.on_stripe([RENEWAL], client_of(at_stripe), say=said.append, account=patient)

    assert [row for row in rows if not row.agrees] == []
    assert rows == play.on_the_simulator([RENEWAL])
    assert said == [f"{RENEWAL} …"]
    assert left_behind(at_stripe) == []


def test_a_clock_moves_in_steps_and_is_waited_for(at_stripe: ClockedClient) -> None:
    waited: list[float] = []
    client = client_of(at_stripe)
    account = StripeAccount(client, Shelf(client), wait=waited.append)

    account.advance(days=60)

    advanced = [path for method, path in at_stripe.asked if path.endswith("/advance")]
    assert len(advanced) == 3
    assert account.now == at_stripe.simulator.now == START + 60 * DAY
    assert LONGEST_STEP < 31 * DAY
    assert waited == [2, 2, 2]


def test_a_clock_that_never_gets_ready_is_given_up(at_stripe: ClockedClient) -> None:
    waited: list[float] = []
    client = client_of(at_stripe)
    account = StripeAccount(client, Shelf(client), wait=waited.append)
    at_stripe.not_ready = 10_000

    with pytest.raises(TimeoutError, match="advancing"):
        account.wait_until_ready()
    assert sum(waited) <= PATIENCE_SECONDS + 2


def test_what_stops_half_way_leaves_nothing_either(at_stripe: ClockedClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(account: StripeAccount, seen: Any) -> None:
        account.subscribe(account.customer(), account.price(2000))
        raise KeyboardInterrupt

    monkeypatch.setitem(SCENARIOS, "stopped", SCENARIOS[RENEWAL].__class__("stopped", "", stopped))
    said: list[str] = []

    assert play.on_stripe(["stopped", RENEWAL], client_of(at_stripe), say=said.append, account=patient) == []
    assert said[-1] == "Interrupted: what was found so far follows."
    assert left_behind(at_stripe) == []


def test_what_stripe_refuses_is_a_row(at_stripe: ClockedClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(account: StripeAccount, seen: Any) -> None:
        account.client.v1.subscriptions.retrieve("sub_nobody")

    monkeypatch.setitem(SCENARIOS, "refused", SCENARIOS[RENEWAL].__class__("refused", "", refused))

    [row] = play.on_stripe(["refused"], client_of(at_stripe), say=str, account=patient)

    assert not row.agrees
    assert row.found.startswith("InvalidRequestError resource_missing")


@pytest.mark.parametrize("key", ["sk_live_secret", "rk_live_secret", "pk_test_hidden", "hidden"])
def test_another_key_than_one_of_test_mode_is_refused_and_not_quoted(
    key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STRIPE_TEST_SECRET_KEY", key)
    monkeypatch.setattr(play, "on_the_simulator", lambda names: pytest.fail("It has begun."))

    with pytest.raises(RefusedKey) as refused:
        command.main(["--yes", "--output", str(tmp_path / "c.json")])

    assert key not in str(refused.value)
    with pytest.raises(RefusedKey):
        real.client_of(key)


@pytest.mark.parametrize(("answer", "goes_on"), [("y", True), (" Yes ", True), ("", False), ("n", False)])
def test_it_says_what_it_will_make_and_asks(answer: str, goes_on: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.agreed("sk_test_1234567890", real.WILL_MAKE, 7, yes=False, ask=lambda _: answer) == goes_on

    said = capsys.readouterr().out
    assert "7 scenarios" in said
    assert "a test clock for each scenario" in said
    assert "sk_test_1234567890" not in said


def test_without_a_terminal_it_does_not_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(prompt: str) -> str:
        raise EOFError

    assert not command.agreed("sk_test_1", "", 1, yes=False, ask=nobody)
    assert command.agreed("sk_test_1", "", 1, yes=True, ask=nobody)


def test_a_no_asks_stripe_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STRIPE_TEST_SECRET_KEY", "sk_test_conformance")
    monkeypatch.setattr(command, "agreed", lambda *_, **__: False)
    monkeypatch.setattr(play, "on_stripe", lambda *_, **__: pytest.fail("Stripe was asked."))

    assert command.main(["--output", str(tmp_path / "c.json")]) == 2
    assert not (tmp_path / "c.json").exists()


def test_an_account_that_cannot_be_used_is_said_in_a_sentence_without_the_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Unknown(ClockedClient):
        def request(self, *args: Any, **more: Any) -> Any:
            return json.dumps({"error": {"type": "invalid_request_error", "message": "sk_test_hidden"}}), 401, {}

    monkeypatch.setenv("STRIPE_TEST_SECRET_KEY", "sk_test_hidden")
    monkeypatch.setattr(real, "client_of", lambda key: client_of(Unknown()))
    monkeypatch.setattr(play, "on_the_simulator", lambda names: pytest.fail("It has begun."))

    assert command.main(["--yes"]) == 2
    said = capsys.readouterr()
    assert said.err == "Stripe does not know this key.\n"
    assert "sk_test_hidden" not in said.out


def test_the_whole_command_with_a_key(
    at_stripe: ClockedClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STRIPE_TEST_SECRET_KEY", "sk_test_conformance")
    monkeypatch.setattr(real, "client_of", lambda key: client_of(at_stripe))
    monkeypatch.setattr(StripeAccount.__init__, "__kwdefaults__", {"wait": lambda seconds: None})
    output = tmp_path / "c.json"

    assert command.main(["--yes", "--only", "preview", "--output", str(output)]) == 0

    said = capsys.readouterr().out
    assert "Nothing differs." in said
    assert "stripe: 1 scenarios" in said
    assert {row["side"] for row in json.loads(output.read_text())["rows"]} == {"simulator", "stripe"}


def test_a_clock_that_cannot_be_made_is_a_row(at_stripe: ClockedClient) -> None:
    def none(client: Any, shelf: Shelf) -> StripeAccount:
        raise stripe.RateLimitError("slow down")  # type: ignore[no-untyped-call]

    [row] = play.on_stripe([RENEWAL], client_of(at_stripe), say=str, account=none)

    assert row.found.startswith("RateLimitError")
