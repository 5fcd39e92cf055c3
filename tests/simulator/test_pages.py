"""The hosted checkout, the billing portal, the time machine, and the API over a real socket."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe
from django.test import Client
from django.urls import reverse

from licenzy_django.simulator.account import database_simulator
from licenzy_django.simulator.models import Event
from licenzy_django.simulator.simulator import Simulator
from tests.simulator.conftest import DAY

pytestmark = pytest.mark.django_db
MACHINE = "/simulator/"


@pytest.fixture
def simulator() -> Simulator:
    return database_simulator()


def session(simulator: Simulator, price: str = "price_week_pass", **more: Any) -> dict[str, Any]:
    simulator.all("price")
    wanted = {
        "mode": "payment", "line_items": [{"price": price, "quantity": 1}],
        "success_url": "https://shop.example/done?a=b&session={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.example/left",
    }  # fmt: skip
    return simulator.create_session(wanted | more)


def page_of(made: dict[str, Any]) -> str:
    return reverse("licenzy_simulator:checkout", args=[made["id"]])


def subscribed(simulator: Simulator) -> dict[str, Any]:
    made = session(simulator, "price_pro_monthly", mode="subscription")
    return simulator.get("subscription", simulator.pay(made)["subscription"])


def test_the_page_says_that_it_is_a_simulation_and_loads_nothing_from_elsewhere(
    client: Client, simulator: Simulator
) -> None:
    made = session(simulator)
    for address in (page_of(made), MACHINE):
        page = client.get(address).content.decode()
        assert "This is a simulation of Stripe" in page
        assert "no money moves" in page
        for loading in ("src=", "@import", "<script", 'href="//'):
            assert loading not in page
        assert page.count("<link") == 2
    style = client.get(reverse("licenzy_simulator:stylesheet"))
    assert style["Content-Type"].startswith("text/css")
    assert b"url(" not in style.content


def test_paying_by_card_goes_to_the_success_url_with_the_sessions_id(client: Client, simulator: Simulator) -> None:
    made = session(simulator)
    assert "7.00 EUR" in client.get(page_of(made)).content.decode()
    answer = client.post(page_of(made), {"action": "card", "email": "eve@example.com"})
    assert (answer.status_code, answer["Location"]) == (302, f"https://shop.example/done?a=b&session={made['id']}")
    paid = simulator.get("checkout.session", made)
    assert (paid["payment_status"], paid["customer_details"]["email"]) == ("paid", "eve@example.com")
    assert "This checkout is done" in client.get(page_of(made)).content.decode()
    again = client.post(page_of(made), {"action": "card"})
    assert (again.status_code, len(simulator.all("charge"))) == (200, 1)


def test_an_encoded_placeholder_is_filled_too(client: Client, simulator: Simulator) -> None:
    made = session(simulator, success_url="https://shop.example/?s=%7BCHECKOUT_SESSION_ID%7D")
    assert client.post(page_of(made), {"action": "card"})["Location"] == f"https://shop.example/?s={made['id']}"


def test_a_bank_debit_goes_to_the_success_url_unpaid(client: Client, simulator: Simulator) -> None:
    made = session(simulator)
    assert client.post(page_of(made), {"action": "bank"}).status_code == 302
    assert simulator.get("checkout.session", made)["payment_status"] == "unpaid"
    assert "on its way" in client.get(page_of(made)).content.decode()


def test_a_declined_card_is_shown_and_the_page_stays_open(client: Client, simulator: Simulator) -> None:
    made = session(simulator)
    page = client.post(page_of(made), {"action": "decline"}).content.decode()
    assert "Your card was declined" in page
    assert 'value="card"' in page
    assert simulator.get("checkout.session", made)["status"] == "open"


def test_leaving_is_a_link_to_the_cancel_url(client: Client, simulator: Simulator) -> None:
    assert 'href="https://shop.example/left"' in client.get(page_of(session(simulator))).content.decode()


def test_the_quantity_can_be_changed_where_the_session_lets(client: Client, simulator: Simulator) -> None:
    line = {"price": "price_credits_1000", "quantity": 1, "adjustable_quantity": {"enabled": True, "maximum": 5}}
    made = session(simulator, line_items=[line])
    item = simulator.find("checkout.session", made)["_line_items"][0]["id"]
    page = client.post(page_of(made), {"action": "update", f"quantity_{item}": "3"}).content.decode()
    assert "30.00 EUR" in page
    refused = client.post(page_of(made), {"action": "card", f"quantity_{item}": "6"})
    assert "from 1 to 5" in refused.content.decode()
    client.post(page_of(made), {"action": "card", f"quantity_{item}": "4"})
    assert simulator.get("checkout.session", made)["amount_total"] == 4000


def test_a_promotion_code_is_applied_and_removed_on_the_page(client: Client, simulator: Simulator) -> None:
    coupon = simulator.create_coupon({"percent_off": 25.0, "duration": "repeating", "duration_in_months": 3})
    simulator.create_promotion_code({"code": "SPRING", "promotion": {"type": "coupon", "coupon": coupon["id"]}})
    assert "Promotion code" not in client.get(page_of(session(simulator))).content.decode()
    made = session(simulator, allow_promotion_codes=True)
    assert (
        "This code is invalid."
        in client.post(page_of(made), {"action": "promotion", "promotion_code": "AUTUMN"}).content.decode()
    )
    page = client.post(page_of(made), {"action": "promotion", "promotion_code": "spring"}).content.decode()
    for shown in ("SPRING", "25 % off, for 3 months", "−1.75 EUR", "5.25 EUR", "Remove SPRING"):
        assert shown in page
    assert "7.00 EUR by card" in client.post(page_of(made), {"action": "no_promotion"}).content.decode()
    client.post(page_of(made), {"action": "promotion", "promotion_code": "SPRING"})
    client.post(page_of(made), {"action": "card"})
    assert simulator.get("checkout.session", made)["amount_total"] == 525


def test_an_expired_page_says_so(client: Client, simulator: Simulator) -> None:
    made = session(simulator)
    with simulator.unit():
        simulator.store.shift_clock(2 * DAY)
    assert "This checkout has expired" in client.get(page_of(made)).content.decode()
    assert client.post(page_of(made), {"action": "card"}).status_code == 200
    assert simulator.get("checkout.session", made)["status"] == "expired"


def test_a_trial_and_a_setup_page(client: Client, simulator: Simulator) -> None:
    trial = session(simulator, "price_pro_monthly", mode="subscription", subscription_data={"trial_period_days": 14})
    assert "14 days free" in client.get(page_of(trial)).content.decode()
    simulator.create_session({"mode": "setup", "currency": "eur", "success_url": "https://x.example/"})
    setup = simulator.all("checkout.session")[-1]
    assert "Save" in client.get(page_of(setup)).content.decode()


def test_an_unknown_page_is_404(client: Client) -> None:
    assert client.get("/simulator/checkout/cs_test_nobody").status_code == 404
    assert client.get("/simulator/portal/bps_nobody").status_code == 404


def test_pages_are_protected_against_forgery(simulator: Simulator) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(page_of(session(simulator)), {"action": "card"}).status_code == 403
    assert strict.post(reverse("licenzy_simulator:act"), {"verb": "advance", "number": "1"}).status_code == 403


def test_the_portal_cancels_takes_back_pauses_and_changes(client: Client, simulator: Simulator) -> None:
    subscription = subscribed(simulator)
    portal = simulator.create_portal_session(
        {"customer": subscription["customer"], "return_url": "https://shop.example/account"}
    )
    address = reverse("licenzy_simulator:portal", args=[portal["id"]])
    assert portal["url"].endswith(address)
    page = client.get(address).content.decode()
    assert "Pro, monthly" in page
    assert "https://shop.example/account" in page
    item = subscription["items"]["data"][0]["id"]

    def press(action: str, **typed: str) -> dict[str, Any]:
        form = {"action": action, "subscription": subscription["id"], "item": item} | typed
        assert client.post(address, form).status_code == 302
        return simulator.get("subscription", subscription)

    assert press("cancel_at_period_end")["cancel_at"]
    assert press("uncancel")["cancel_at"] is None
    assert press("pause")["status"] == "paused"
    assert press("resume")["status"] == "active"
    assert press("quantity", quantity="7")["items"]["data"][0]["quantity"] == 7
    assert press("swap", price="price_pro_yearly")["items"]["data"][0]["price"]["id"] == "price_pro_yearly"
    assert client.post(address, {"action": "quantity", "subscription": subscription["id"]}).status_code == 200
    assert press("cancel")["status"] == "canceled"
    assert "Ended on" in client.get(address).content.decode()


def test_the_portal_touches_only_its_customers_subscriptions(client: Client, simulator: Simulator) -> None:
    mine, other = subscribed(simulator), subscribed(simulator)
    portal = simulator.create_portal_session({"customer": mine["customer"]})
    address = reverse("licenzy_simulator:portal", args=[portal["id"]])
    client.post(address, {"action": "cancel", "subscription": other["id"]})
    assert simulator.get("subscription", other)["status"] == "active"


def test_every_button_of_the_time_machine_works(client: Client, simulator: Simulator) -> None:
    """Presses each button that the page offers, and those that come up by pressing, until none is new."""
    subscribed(simulator)
    simulator.pay_by_bank(session(simulator))
    simulator.pay(session(simulator))
    session(simulator)
    pressed: set[str] = set()
    for _ in range(40):
        fresh = [form for form in forms_on(client) if form["verb"] not in pressed]
        if not fresh:
            break
        pressed.add(fresh[0]["verb"])
        answer = client.post(reverse("licenzy_simulator:act"), fresh[0])
        assert answer.status_code in (302, 409), fresh[0]
    assert pressed >= {
        "renew", "renew_failing", "pause", "cancel", "cancel_at_period_end", "refund", "refund_half", "dispute",
        "inquire", "expire", "settle_bank", "card_fails", "card_works", "delete_customer", "deliver",
    }  # fmt: skip


def forms_on(client: Client) -> list[dict[str, str]]:
    import re

    page = client.get(MACHINE).content.decode()
    pattern = r'name="verb" value="(\w+)"><input type="hidden" name="id" value="([^"]+)"'
    return [{"verb": verb, "id": ref, "price": "price_pro_yearly"} for verb, ref in re.findall(pattern, page)]


def test_the_machine_moves_the_clock(client: Client, simulator: Simulator) -> None:
    subscription = subscribed(simulator)
    act = reverse("licenzy_simulator:act")
    assert client.post(act, {"verb": "advance", "number": "32", "unit": "days"}).status_code == 302
    assert simulator.all("invoice")[-1]["status"] == "paid"
    assert client.post(act, {"verb": "advance", "number": "2", "unit": "hours"}).status_code == 302
    for nonsense in ("", "-1", "99999999"):
        assert client.post(act, {"verb": "advance", "number": nonsense}).status_code == 409
    assert client.post(act, {"verb": "cancel", "id": "sub_nobody"}).status_code == 409
    assert client.post(act, {"verb": "explode", "id": subscription["id"]}).status_code == 302


def test_an_event_can_be_delivered_again(client: Client, simulator: Simulator) -> None:
    subscribed(simulator)
    event = Event.objects.first()
    assert event
    simulator.store.note_delivery(event.stripe_id, 200)
    client.post(reverse("licenzy_simulator:act"), {"verb": "deliver", "id": event.stripe_id})
    event.refresh_from_db()
    assert (event.delivered_at, event.next_try_at) == (None, 0)


def test_the_host_can_show_access_on_the_machine(client: Client, settings: Any, tmp_path: Any) -> None:
    own = tmp_path / "licenzy_simulator" / "machine.html"
    own.parent.mkdir()
    own.write_text(
        '{% extends "licenzy_simulator/machine.html" %}{% block access %}{{ customers|length }} customers{% endblock %}'
    )
    [engine] = settings.TEMPLATES
    settings.TEMPLATES = [engine | {"DIRS": [tmp_path]}]
    page = client.get(MACHINE).content.decode()
    assert "0 customers" in page
    assert "Time machine" in page


@pytest.mark.django_db(transaction=True)
def test_the_library_speaks_to_it_over_a_real_socket(live_server: Any) -> None:
    client = stripe.StripeClient("sk_test_simulator", base_addresses={"api": f"{live_server.url}/simulator"})
    assert client.v1.prices.retrieve("price_week_pass").unit_amount == 700
    made = client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [{"price": "price_week_pass", "quantity": 1}],
            "success_url": "https://x.example/?s={CHECKOUT_SESSION_ID}",
        }
    )
    assert made.url == f"{live_server.url}/simulator/checkout/{made.id}"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.subscriptions.retrieve("sub_nobody")


EVERYTHING: dict[str, Any] = {
    "automatic_tax": {"enabled": True},
    "billing_address_collection": "required",
    "phone_number_collection": {"enabled": True},
    "tax_id_collection": {"enabled": True},
    "consent_collection": {"promotions": "auto", "terms_of_service": "required"},
    "custom_text": {"submit": {"message": "Shipped by post."}, "after_submit": {"message": "Thank you!"}},
    "custom_fields": [
        {"key": "po", "label": {"type": "custom", "custom": "Order number"}, "type": "text", "optional": True},
        {"key": "size", "label": {"type": "custom", "custom": "Size"}, "type": "dropdown",
         "dropdown": {"options": [{"label": "Small", "value": "s"}, {"label": "Large", "value": "l"}]}},
    ],
    "submit_type": "book",
    "locale": "de",
}  # fmt: skip


def test_the_page_asks_for_what_the_session_wants_and_keeps_it(client: Client, simulator: Simulator) -> None:
    made = session(simulator, **EVERYTHING)
    page = client.get(page_of(made)).content.decode()
    for shown in (
        "Country", "Street", "Phone", "Tax ID", "Order number", "Large", "Send me news", "terms of service",
        "Shipped by post.", "Thank you!", "Book, 8.40 EUR by card", "20 % for everybody", "1.40 EUR",
    ):  # fmt: skip
        assert shown in page
    typed = {
        "action": "card", "email": "eve@example.com", "name": "Eve", "country": "AT", "line1": "Ring 1", "city": "Wien",
        "postal_code": "1010", "phone": "+43 1 2", "tax_id_type": "eu_vat", "tax_id": "atu 12345678",
        "business_name": "Eve & Co", "field_po": "A-1", "field_size": "l", "promotions": "on",
    }  # fmt: skip
    refused = client.post(page_of(made), typed).content.decode()
    assert "You must accept the terms of service." in refused
    assert 'value="Eve &amp; Co"' in refused
    assert client.post(page_of(made), typed | {"terms_of_service": "on"}).status_code == 302
    done = simulator.get("checkout.session", made)
    details = done["customer_details"]
    assert (details["name"], details["address"]["city"]) == ("Eve & Co", "Wien")
    assert details["tax_ids"] == [{"type": "eu_vat", "value": "ATU12345678"}]
    assert [field[field["type"]]["value"] for field in done["custom_fields"]] == ["A-1", "l"]
    assert (done["consent"]["promotions"], done["amount_total"]) == ("opt_in", 840)


def test_tax_in_the_price_is_shown_below_the_total(client: Client, simulator: Simulator) -> None:
    price = simulator.create_price({"currency": "eur", "unit_amount": 1200, "tax_behavior": "inclusive"})
    page = client.get(page_of(session(simulator, price["id"], automatic_tax={"enabled": True}))).content.decode()
    assert "Tax in it (20 %" in page
    assert "12.00 EUR by card" in page


def test_the_links_of_an_invoice_lead_to_a_page_of_it(client: Client, simulator: Simulator) -> None:
    coupon = simulator.create_coupon({"percent_off": 10.0, "name": "Friends"})
    made = session(
        simulator, "price_pro_monthly", mode="subscription", automatic_tax={"enabled": True},
        discounts=[{"coupon": coupon["id"]}], tax_id_collection={"enabled": True, "required": "if_supported"},
    )  # fmt: skip
    invoice = simulator.get("invoice", simulator.pay(made)["invoice"])
    for link in (invoice["hosted_invoice_url"], invoice["invoice_pdf"]):
        assert urlsplit(link).path.startswith(f"/simulator/invoice/{invoice['id']}")
        page = client.get(urlsplit(link).path).content.decode()
        for shown in ("Friends", "10 % off, once", "20 % on", "eu vat DE123456789", invoice["number"], "paid"):
            assert shown in page
    assert invoice["hosted_invoice_url"] in client.get(MACHINE).content.decode()
    assert client.get("/simulator/invoice/in_nobody").status_code == 404


def test_an_open_invoice_is_paid_on_its_page(client: Client, simulator: Simulator) -> None:
    customer = simulator.create_customer({"email": "ada@example.com"})
    simulator.all("price")
    sent = simulator.subscribe(customer["id"], [("price_pro_monthly", 1)], by_invoice=True)["latest_invoice"]
    address = reverse("licenzy_simulator:invoice", args=[sent])
    assert client.post(address, {"action": "decline"}).status_code == 302
    assert simulator.get("invoice", sent)["status"] == "open"
    assert client.post(address, {"action": "pay"}).status_code == 302
    assert simulator.get("invoice", sent)["status"] == "paid"
    assert "is paid, not open" in client.post(address, {"action": "pay"}).content.decode()


def test_optional_items_are_added_and_removed_on_the_page(client: Client, simulator: Simulator) -> None:
    made = session(simulator, optional_items=[{"price": "price_credits_1000", "quantity": 2}])
    page = client.get(page_of(made)).content.decode()
    assert "Add to your order" in page
    page = client.post(page_of(made), {"action": "optional:price_credits_1000:2"}).content.decode()
    assert "27.00 EUR by card" in page
    assert "Add to your order" not in page
    assert 'value="optional:price_credits_1000:0"' in page
    assert (
        "7.00 EUR by card" in client.post(page_of(made), {"action": "optional:price_credits_1000:0"}).content.decode()
    )
    assert "No such optional item" in client.post(page_of(made), {"action": "optional:price_nobody:x"}).content.decode()


def test_the_page_says_what_a_renewal_will_cost_where_today_is_another_amount(
    client: Client, simulator: Simulator
) -> None:
    lines = [{"price": "price_pro_monthly", "quantity": 1}, {"price": "price_week_pass", "quantity": 1}]
    made = session(simulator, mode="subscription", line_items=lines[:1])
    assert "per month" in client.get(page_of(made)).content.decode()
    assert "After that" not in client.get(page_of(made)).content.decode()
    forever = simulator.create_coupon({"percent_off": 50.0, "duration": "forever"})["id"]
    months = simulator.create_coupon({"percent_off": 50.0, "duration": "repeating", "duration_in_months": 3})["id"]
    for items, coupon, shown in (
        (lines, None, "After that 19.00 EUR per month."),
        (lines, forever, "After that 9.50 EUR per month."),
        (lines[:1], months, "After that 19.00 EUR per month, once the discount has ended."),
    ):
        more = {"discounts": [{"coupon": coupon}]} if coupon else {}
        page = client.get(page_of(session(simulator, mode="subscription", line_items=items, **more))).content.decode()
        assert shown in page


def test_a_promotion_code_is_made_on_the_machine(client: Client, simulator: Simulator) -> None:
    act = reverse("licenzy_simulator:act")
    offer = {"verb": "offer", "code": "SPRING", "percent": "25", "duration": "three_months", "section": "codes"}
    assert client.post(act, offer).status_code == 302
    page = client.get(MACHINE).content.decode()
    assert "SPRING" in page
    assert "25 % off, for 3 months" in page
    for wrong in ({"percent": "0"}, {"percent": "x"}, {"code": "no spaces"}, {}):
        assert client.post(act, offer | wrong).status_code == 409
    assert len(simulator.all("coupon")) == len(simulator.all("promotion_code")) == 1


@pytest.mark.parametrize("address", ["checkout/a%00b", "checkout/cs_live_%00", "portal/%00", "invoice/%00"])
def test_an_address_that_no_database_can_hold_is_404(client: Client, address: str) -> None:
    """Seen failing on PostgreSQL: SQLite holds it."""
    assert client.get(MACHINE + address).status_code == 404


@pytest.mark.parametrize("field", ["name", "email", "business_name", "postal_code"])
def test_what_no_database_can_hold_is_not_typed_into_a_page(client: Client, simulator: Simulator, field: str) -> None:
    made = session(simulator)
    typed = {"action": "card", "country": "DE", field: "a\x00b"}
    assert client.post(page_of(made), typed).status_code == 400
    assert simulator.get("checkout.session", made["id"])["status"] == "open"


def test_a_verb_on_what_no_database_can_hold_is_400(client: Client) -> None:
    assert client.post(reverse("licenzy_simulator:act"), {"verb": "refund", "id": "a\x00b"}).status_code == 400
