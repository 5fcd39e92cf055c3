"""What the simulator answers has the shape that Stripe published, on every path and in every event."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest

from licenzy_django.simulator.api.front import Front, Request
from licenzy_django.simulator.simulator import Simulator
from tests.contract.openapi import ANSWERS, Json, document, problems_with

pytestmark = pytest.mark.once


@dataclass
class Account:
    """A simulated account in which everything has happened once."""

    simulator: Simulator
    front: Front
    ids: dict[str, str]

    def ask(self, method: str, path: str, **form: str) -> Json:
        headers = {"authorization": "Bearer sk_test_simulator"}
        answer = self.front.handle(Request(method.upper(), path, urlencode(form), headers))
        assert answer.status == 200, answer.body
        found: Json = json.loads(answer.body)
        return found


@pytest.fixture(scope="module")
def account() -> Account:
    simulator = Simulator()
    month = simulator.create_price({"currency": "eur", "unit_amount": 1900, "recurring": {"interval": "month"}})
    year = simulator.create_price({"currency": "eur", "unit_amount": 19_000, "recurring": {"interval": "year"}})
    pack = simulator.create_price({"currency": "eur", "unit_amount": 1000})
    customer = simulator.create_customer({"email": "ada@example.com"})

    def session(price: Json, mode: str, **more: object) -> Json:
        wanted = {
            "mode": mode,
            "line_items": [{"price": price["id"], "quantity": 2}],
            "success_url": "https://x.example/",
        }
        return simulator.create_session(wanted | more)

    bought = simulator.pay(session(pack, "payment"))
    waiting = simulator.pay_by_bank(session(pack, "payment"))
    simulator.decline(session(pack, "payment"))
    subscribed = simulator.pay(session(month, "subscription", customer=customer["id"]))
    trial = simulator.pay(session(year, "subscription", subscription_data={"trial_period_days": 7}))
    subscription = subscribed["subscription"]
    coupon = simulator.create_coupon({"percent_off": 12.5, "duration": "forever"})
    for price, mode in ((pack, "payment"), (month, "subscription")):
        more = {"invoice_creation": {"enabled": True}} if mode == "payment" else {}
        discounted = {"discounts": [{"coupon": coupon["id"]}], "automatic_tax": {"enabled": True}}
        collected = {"tax_id_collection": {"enabled": True, "required": "if_supported"}}
        simulator.pay(session(price, mode, **discounted, **collected, **more))
    simulator.refund(bought, amount=100, status="pending")
    refund = simulator.refund(bought, amount=500)
    simulator.fail_refund(refund)
    simulator.renew(subscription)
    dispute = simulator.dispute(subscription)
    simulator.close_dispute(dispute, "won")
    simulator.renew(subscription, paid=False)
    simulator.swap_price(subscription, year["id"])
    simulator.propose_update(subscription, quantity=4)
    simulator.cancel_at_period_end(subscription)
    simulator.pause(trial["subscription"])
    simulator.bounce_bank(waiting)
    show_what_money_does(simulator, month["id"], year["id"], pack["id"])
    open_session = session(pack, "payment", customer_email="b@example.com")
    return Account(simulator, Front(simulator), {
        "session": bought["id"],
        "open": open_session["id"],
        "customer": customer["id"],
        "subscription_exposed_id": subscription,
        "ending": trial["subscription"],
        "invoice": subscribed["invoice"],
        "intent": bought["payment_intent"],
        "charge": simulator.get("payment_intent", bought["payment_intent"])["latest_charge"],
        "refund": refund["id"],
        "dispute": dispute["id"],
        "id": simulator.events()[0]["id"],
        "price": month["id"],
    })  # fmt: skip


def show_what_money_does(simulator: Simulator, month: str, year: str, pack: str) -> None:
    """Prorations, credit, what is sent, made by hand or paid in parts: each invoice in its published shape."""
    ada = simulator.create_customer({"email": "ada@example.com", "balance": -300})["id"]
    for mode in ("flexible", "classic"):
        changed = simulator.subscribe(ada, [(month, 3)], billing_mode=mode)
        simulator.advance(86_400)
        simulator.set_quantity(changed, 1, proration_behavior="always_invoice")
        simulator.set_quantity(changed, 9, proration_behavior="always_invoice")
        simulator.propose_update(changed, quantity=20, requires_action=True)
    simulator.subscribe(ada, [(month, 1)], billing_cycle_anchor=simulator.now + 86_400, proration_behavior="none")
    simulator.subscribe(ada, [(year, 1), (month, 1)], backdate_start_date=simulator.now - 86_400)
    sent = simulator.subscribe(ada, [(year, 1)], by_invoice=True)
    simulator.pay_part(sent["latest_invoice"], 700)
    simulator.credit_invoice(sent["latest_invoice"], amount=500)
    quoted = simulator.accept_quote(ada, [(year, 1)])
    simulator.credit_invoice(quoted["latest_invoice"], amount=900, credit_amount=100, out_of_band_amount=100)
    simulator.hand_made_invoice(ada, pack, subscription=quoted["id"])
    simulator.fail_finalization(simulator.roll_period(changed))


def sent_with(account: Account, method: str, path: str) -> dict[str, str]:
    forms = {
        "/v1/checkout/sessions": {
            "mode": "payment", "success_url": "https://x.example/", "line_items[0][quantity]": "1",
            "line_items[0][price]": account.simulator.all("price", type="one_time")[0]["id"],
            "line_items[0][adjustable_quantity][enabled]": "true",
        },
        "/v1/customers": {"email": "new@example.com", "metadata[licenzy_subject]": "s"},
        "/v1/billing_portal/sessions": {"customer": account.ids["customer"], "return_url": "https://x.example/"},
        "/v1/subscriptions/{subscription_exposed_id}": {"metadata[seen]": "yes"},
        "/v1/refunds": {"payment_intent": account.ids["intent"], "amount": "7"},
    }  # fmt: skip
    return forms.get(path, {}) if method == "post" else {}


@pytest.mark.parametrize(("method", "path"), ANSWERS, ids=lambda part: part)
def test_every_path_answers_in_the_published_shape(account: Account, method: str, path: str) -> None:
    schema, listed = ANSWERS[method, path]
    ids = account.ids | ({"session": account.ids["open"]} if path.endswith("/expire") else {})
    ids |= {"subscription_exposed_id": ids["ending"]} if method == "delete" else {}
    answer = account.ask(method, path.format(**ids), **sent_with(account, method, path))
    assert not listed or answer["data"]
    assert problems_with(answer, schema, listed=listed) == []


def test_no_path_of_the_document_is_left_out() -> None:
    published = {(method, path) for path, methods in document()["paths"].items() for method in methods}
    assert published == set(ANSWERS)


def test_every_event_carries_an_object_in_the_published_shape(account: Account) -> None:
    known = document()["components"]["schemas"]
    seen = set()
    for event in account.simulator.events():
        rendered = account.simulator.render(event, event["api_version"])
        assert problems_with(rendered, "event") == []
        told = rendered["data"]["object"]
        if told["object"] in known:
            seen.add(told["object"])
            assert problems_with(told, told["object"]) == [], event["type"]
    assert seen >= {"checkout.session", "subscription", "invoice", "invoice_payment", "charge", "refund", "dispute"}


def test_a_deleted_customer_and_errors_have_the_published_shape(account: Account) -> None:
    gone = account.simulator.create_customer({"email": "gone@example.com"})
    account.simulator.delete_customer(gone)
    assert problems_with(account.ask("get", f"/v1/customers/{gone['id']}"), "deleted_customer") == []
    headers = {"authorization": "Bearer sk_test_simulator"}
    refused = account.front.handle(Request("GET", "/v1/customers/cus_nobody", "", headers))
    assert refused.status == 404
    assert problems_with(json.loads(refused.body), "error") == []


def test_the_checker_finds_what_is_wrong(account: Account) -> None:
    right = account.ask("get", f"/v1/subscriptions/{account.ids['subscription_exposed_id']}")
    assert problems_with(right | {"status": "sleeping"}, "subscription")
    assert problems_with(right | {"customer": None}, "subscription")
    assert problems_with({name: value for name, value in right.items() if name != "items"}, "subscription")
