"""Coupons and promotion codes: on the page, on the first invoice, on renewals, on what changes in mid-period."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stripe

from licenzy_django.simulator.refusals import RefusalError
from licenzy_django.simulator.resources import coupons
from tests.simulator.conftest import DAY, Json, Shop


def coupon(shop: Shop, **wanted: Any) -> str:
    given = {"percent_off": 25.0} if "amount_off" not in wanted else {"currency": "eur"}
    return str(shop.simulator.create_coupon(given | wanted)["id"])


def code(shop: Shop, written: str = "SPRING", *, of: str = "", **wanted: Any) -> Json:
    promotion = {"type": "coupon", "coupon": of or coupon(shop)}
    return shop.simulator.create_promotion_code({"promotion": promotion, "code": written} | wanted)


def invoice_of(shop: Shop, session: Json) -> Json:
    return shop.simulator.get("invoice", session["invoice"])


def test_a_coupon_given_with_the_session_is_on_its_lines_and_its_payment(shop: Shop) -> None:
    session = shop.session(shop.pack, quantity=3, discounts=[{"coupon": coupon(shop)}])
    assert (session["amount_subtotal"], session["amount_total"]) == (3000, 2250)
    assert session["total_details"]["amount_discount"] == 750

    paid = shop.simulator.pay(session)
    assert shop.simulator.get("payment_intent", paid["payment_intent"])["amount"] == 2250
    [discount] = shop.simulator.all("discount")
    assert discount["checkout_session"] == paid["id"]
    assert shop.simulator.get("coupon", discount["source"]["coupon"])["times_redeemed"] == 1


def test_a_discount_is_spread_over_the_lines_to_the_cent(shop: Shop) -> None:
    lines = [{"price": shop.pack["id"], "quantity": 1}, {"price": shop.pack["id"], "quantity": 2}]
    session = shop.session(shop.pack, line_items=lines, discounts=[{"coupon": coupon(shop, amount_off=1000)}])
    items = shop.simulator.find("checkout.session", session)["_line_items"]
    assert [(item["amount_discount"], item["amount_total"]) for item in items] == [(333, 667), (667, 1333)]


def test_a_promotion_code_is_typed_in_any_case_and_can_be_taken_off(shop: Shop) -> None:
    session = shop.session(shop.pack, allow_promotion_codes=True)
    promotion_code = code(shop)
    with pytest.raises(RefusalError, match="invalid"):
        shop.simulator.apply_promotion_code(session, "AUTUMN")
    applied = shop.simulator.apply_promotion_code(session, " spring ")
    assert (applied["amount_total"], applied["discounts"]) == (
        750, [{"coupon": None, "promotion_code": promotion_code["id"]}],
    )  # fmt: skip
    assert shop.simulator.remove_promotion_code(session)["amount_total"] == 1000
    shop.simulator.apply_promotion_code(session, "SPRING")
    shop.simulator.pay(session)
    assert shop.simulator.get("promotion_code", promotion_code)["times_redeemed"] == 1


def test_a_subscriptions_invoice_has_gross_lines_and_a_net_total(shop: Shop) -> None:
    session = shop.simulator.pay(shop.session(shop.month, discounts=[{"coupon": coupon(shop)}]))
    invoice = invoice_of(shop, session)
    [line] = invoice["lines"]["data"]
    [discount] = shop.simulator.get("subscription", session["subscription"])["discounts"] or invoice["discounts"]
    assert (invoice["subtotal"], invoice["total"], invoice["amount_paid"]) == (1900, 1425, 1425)
    assert invoice["total_discount_amounts"] == [{"amount": 475, "discount": discount}]
    assert (line["amount"], line["discount_amounts"]) == (1900, [{"amount": 475, "discount": discount}])
    assert (session["amount_subtotal"], session["amount_total"]) == (1900, 1425)
    assert "customer.discount.created" in shop.told()


@pytest.mark.parametrize(
    ("wanted", "totals"),
    [
        ({"duration": "once"}, [1425, 1900, 1900, 1900]),
        ({"duration": "repeating", "duration_in_months": 3}, [1425, 1425, 1425, 1900]),
        ({"duration": "forever"}, [1425, 1425, 1425, 1425]),
        ({"duration": "forever", "amount_off": 500}, [1400, 1400, 1400, 1400]),
    ],
    ids=str,
)
def test_renewals_are_discounted_as_long_as_the_coupon_lasts(shop: Shop, wanted: Json, totals: list[int]) -> None:
    session = shop.simulator.pay(shop.session(shop.month, discounts=[{"coupon": coupon(shop, **wanted)}]))
    renewals = [shop.simulator.renew(session["subscription"])["total"] for _ in range(3)]
    assert [invoice_of(shop, session)["total"], *renewals] == totals
    lasting = shop.simulator.get("subscription", session["subscription"])["discounts"]
    assert bool(lasting) is (wanted["duration"] == "forever")
    assert ("customer.discount.deleted" in shop.told()) is not bool(lasting)


def test_a_coupon_for_once_waits_for_the_end_of_a_trial(shop: Shop) -> None:
    session = shop.simulator.pay(
        shop.session(shop.month, discounts=[{"coupon": coupon(shop)}], subscription_data={"trial_period_days": 7})
    )
    assert invoice_of(shop, session)["total"] == 0
    shop.simulator.advance(8 * DAY)
    assert [invoice["total"] for invoice in shop.simulator.all("invoice")] == [0, 1425]
    assert shop.simulator.get("subscription", session["subscription"])["discounts"] == []


def test_a_code_of_100_percent_needs_no_payment(shop: Shop) -> None:
    everything = coupon(shop, percent_off=100.0)
    session = shop.simulator.pay(shop.session(shop.month, discounts=[{"coupon": everything}]))
    assert session["payment_status"] == "no_payment_required"
    assert (invoice_of(shop, session)["status"], invoice_of(shop, session)["amount_paid"]) == ("paid", 0)
    assert shop.simulator.get("subscription", session["subscription"])["status"] == "active"
    once = shop.simulator.pay(shop.session(shop.pack, discounts=[{"coupon": everything}]))
    assert (once["payment_status"], once["payment_intent"]) == ("no_payment_required", None)
    assert shop.simulator.all("charge") == []


def test_a_change_credits_what_was_billed_and_discounts_what_follows(shop: Shop) -> None:
    forever = coupon(shop, percent_off=50.0, duration="forever")
    session = shop.simulator.pay(shop.session(shop.month, quantity=2, discounts=[{"coupon": forever}]))
    end = shop.simulator.get("subscription", session["subscription"])["items"]["data"][0]["current_period_end"]
    shop.simulator.advance((end - shop.simulator.now) // 2)
    changed = shop.simulator.set_quantity(session["subscription"], 4, proration_behavior="always_invoice")
    invoice = shop.simulator.get("invoice", changed["latest_invoice"])
    assert [line["amount"] for line in invoice["lines"]["data"]] == [-950, 1900]
    assert [line["discountable"] for line in invoice["lines"]["data"]] == [False, False]
    assert (invoice["total"], invoice["total_discount_amounts"][0]["amount"]) == (950, 0)


def test_nothing_is_credited_where_nothing_was_charged(shop: Shop) -> None:
    free = coupon(shop, percent_off=100.0)
    session = shop.simulator.pay(shop.session(shop.month, discounts=[{"coupon": free}]))
    shop.simulator.advance(DAY)
    changed = shop.simulator.swap_price(session["subscription"], shop.year["id"], proration_behavior="always_invoice")
    assert [line["amount"] for line in shop.simulator.get("invoice", changed["latest_invoice"])["lines"]["data"]] == [
        19_000
    ]


@pytest.mark.parametrize("wanted", [{"amount_off": 500, "duration": "forever"}, {}], ids=["amount", "classic"])
def test_prorations_that_stripe_does_not_describe_are_refused(shop: Shop, wanted: Json) -> None:
    mode = {} if wanted else {"subscription_data": {"billing_mode": {"type": "classic"}}}
    session = shop.simulator.pay(shop.session(shop.month, discounts=[{"coupon": coupon(shop, **wanted)}], **mode))
    with pytest.raises(RefusalError, match="not simulated"):
        shop.simulator.set_quantity(session["subscription"], 3, proration_behavior="always_invoice")


def refusal(shop: Shop, **more: Any) -> str:
    with pytest.raises(RefusalError) as refused:
        shop.session(shop.pack, **more)
    return refused.value.message


def test_what_stripe_refuses_of_discounts_on_a_session(shop: Shop) -> None:
    entry = {"coupon": coupon(shop)}
    assert refusal(shop, discounts=[entry], allow_promotion_codes=False) == (
        "You may only specify one of these parameters: allow_promotion_codes, discounts."
    )
    assert "maximum 1" in refusal(shop, discounts=[entry, entry])
    assert "either coupon or promotion_code" in refusal(shop, discounts=[{}])
    assert "No such coupon: 'gone'" in refusal(shop, discounts=[{"coupon": "gone"}])
    dollars = coupon(shop, amount_off=100, currency="usd")
    assert "`usd`" in refusal(shop, discounts=[{"coupon": dollars}])
    assert "at least €0.50 eur" in refusal(shop, discounts=[{"coupon": coupon(shop, percent_off=99.0)}])
    assert "`setup` mode" in refusal(shop, mode="setup", discounts=[entry])


def test_what_can_be_redeemed_ends_by_number_by_time_and_by_the_seller(shop: Shop) -> None:
    once = coupon(shop, id="ONCE", max_redemptions=1)
    brief = coupon(shop, id="BRIEF", redeem_by=shop.simulator.now + DAY)
    for named in (once, brief):
        code(shop, f"CODE-{named}", of=named)
    waiting = shop.session(shop.pack, discounts=[{"coupon": once}])
    shop.simulator.pay(shop.session(shop.pack, discounts=[{"coupon": once}]))
    with pytest.raises(RefusalError, match="Coupon expired"):
        shop.simulator.pay(waiting)
    shop.simulator.advance(DAY)
    for named in (once, brief):
        assert "Coupon expired" in refusal(shop, discounts=[{"coupon": named}])
        with pytest.raises(RefusalError, match="code is invalid"):
            shop.simulator.apply_promotion_code(shop.session(shop.pack, allow_promotion_codes=True), f"CODE-{named}")


def test_deleting_a_coupon_takes_it_from_nobody(shop: Shop) -> None:
    forever = coupon(shop, duration="forever")
    session = shop.simulator.pay(shop.session(shop.month, discounts=[{"coupon": forever}]))
    shop.simulator.delete_coupon(forever)
    assert shop.simulator.renew(session["subscription"])["total"] == 1425


def test_a_promotion_code_has_its_own_restrictions(shop: Shop) -> None:
    other = shop.simulator.create_customer({"email": "b@example.com"})
    code(shop, "FIRST", restrictions={"first_time_transaction": True})
    code(shop, "HERS", customer=other["id"])
    code(shop, "MUCH", restrictions={"minimum_amount": 5000, "minimum_amount_currency": "EUR"})
    known = shop.session(shop.pack, allow_promotion_codes=True, customer=shop.customer["id"])
    shop.simulator.apply_promotion_code(known, "FIRST")
    for written, sentence in (("HERS", "invalid"), ("MUCH", "minimum amount")):
        with pytest.raises(RefusalError, match=sentence):
            shop.simulator.apply_promotion_code(known, written)
    hers = shop.session(shop.pack, quantity=5, allow_promotion_codes=True, customer=other["id"])
    assert shop.simulator.apply_promotion_code(hers, "HERS")["amount_total"] == 3750
    assert shop.simulator.apply_promotion_code(hers, "MUCH")["amount_total"] == 3750
    shop.subscription()
    with pytest.raises(RefusalError, match="prior transactions"):
        shop.simulator.pay(known)
    with pytest.raises(RefusalError, match="prior transactions"):
        shop.simulator.apply_promotion_code(shop.session(shop.pack, allow_promotion_codes=True), "FIRST")
    new = shop.session(shop.month, allow_promotion_codes=True)
    assert shop.simulator.apply_promotion_code(new, "FIRST")["amount_total"] == 1425


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"percent_off": 0.0},
        {"percent_off": 101.0},
        {"percent_off": 5.0, "amount_off": 5},
        {"amount_off": 5},
        {"amount_off": 0, "currency": "eur"},
        {"percent_off": 5.0, "duration": "repeating"},
        {"percent_off": 5.0, "duration_in_months": 3},
        {"percent_off": 5.0, "max_redemptions": 0},
        {"percent_off": 5.0, "redeem_by": 7},
        {"percent_off": 5.0, "id": "TAKEN"},
    ],
    ids=str,
)
def test_a_coupon_that_makes_no_sense_is_refused(shop: Shop, wanted: Json) -> None:
    coupon(shop, id="TAKEN")
    with pytest.raises(RefusalError):
        shop.simulator.create_coupon(wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        {"code": "spring"},
        {"code": "no spaces"},
        {"max_redemptions": 4},
        {"expires_at": 7},
        {"restrictions": {"minimum_amount": 5}},
        {"customer": "cus_nobody"},
        {"promotion": {"type": "coupon"}},
    ],
    ids=str,
)
def test_a_promotion_code_that_makes_no_sense_is_refused(shop: Shop, wanted: Json) -> None:
    few = coupon(shop, max_redemptions=3)
    code(shop, of=few)
    with pytest.raises(RefusalError):
        code(shop, **({"written": "OTHER", "of": few} | wanted if "code" not in wanted else {"of": few} | wanted))


@pytest.mark.parametrize("parts", [[1, 1, 1], [7, 0, 5], [0], [999_999, 1], [0, 0]], ids=str)
@pytest.mark.parametrize("amount", [0, 1, 2, 100])
def test_shares_add_up_and_none_is_more_than_its_part(parts: list[int], amount: int) -> None:
    amount = min(amount, sum(parts))
    shares = coupons.shared(amount, parts)
    assert sum(shares) == amount
    assert all(0 <= share <= part for share, part in zip(shares, parts, strict=True))


def test_over_the_api_as_the_library_writes_it(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    api = stripe_client.v1
    made = api.coupons.create({"id": "FALL", "percent_off": 12.5, "duration": "forever", "name": "Fall"})
    assert (made.percent_off, made.valid) == (12.5, True)
    found = api.promotion_codes.create({"code": "FALL20", "promotion": {"type": "coupon", "coupon": "FALL"}})
    assert [entry.id for entry in api.promotion_codes.list({"code": "fall20", "active": True}).data] == [found.id]
    session = api.checkout.sessions.create(
        {
            "mode": "subscription",
            "success_url": "https://x.example/",
            "line_items": [{"price": shop.month["id"], "quantity": 1}],
            "discounts": [{"promotion_code": found.id}],
        }
    )
    bought = shop.simulator.pay(session.id)
    invoice = api.invoices.retrieve(str(bought["invoice"]), {"expand": ["discounts.source.coupon"]})
    discount: Any = invoice.discounts[0]
    assert (discount.promotion_code, discount.source.coupon.name, invoice.total) == (found.id, "Fall", 1662)
    assert api.promotion_codes.update(found.id, {"active": False}).active is False
    assert api.promotion_codes.list({"active": True}).data == []
    assert api.coupons.delete("FALL").deleted
    with pytest.raises(stripe.InvalidRequestError):
        api.promotion_codes.update(found.id, {"active": True})


def test_before_clover_a_coupon_was_an_object_of_its_own(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    named = coupon(shop)
    made = stripe_client.raw_request(
        "post", "/v1/promotion_codes", coupon=named, code="OLD", stripe_version="2025-06-30.basil"
    )
    shown = json.loads(made.body)
    assert (shown["coupon"]["id"], "promotion" in shown) == (named, False)
    newest: Any = stripe_client.v1.promotion_codes.retrieve(shown["id"])
    assert newest.promotion.coupon == named


def test_the_preview_of_a_discounted_and_taxed_change_is_its_invoice(
    shop: Shop, stripe_client: stripe.StripeClient
) -> None:
    half = coupon(shop, percent_off=33.3, duration="forever")
    bought = shop.session(shop.month, quantity=3, discounts=[{"coupon": half}], automatic_tax={"enabled": True})
    subscription = shop.simulator.get("subscription", shop.simulator.pay(bought)["subscription"])
    shop.simulator.advance(5 * DAY)
    change: Any = {
        "items": [{"id": subscription["items"]["data"][0]["id"], "quantity": 7}],
        "proration_behavior": "always_invoice",
        "proration_date": shop.simulator.now,
    }
    seen = stripe_client.v1.invoices.create_preview(
        {"subscription": subscription["id"], "subscription_details": change}
    )
    made = stripe_client.v1.subscriptions.update(subscription["id"], change)
    invoice = stripe_client.v1.invoices.retrieve(str(made.latest_invoice))
    assert (seen.total, seen.subtotal) == (invoice.total, invoice.subtotal)
    assert [line.amount for line in seen.lines.data] == [line.amount for line in invoice.lines.data]
    assert invoice.total > 0


def test_older_versions_show_the_discount_itself(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    named = coupon(shop, duration="forever")
    bought = shop.simulator.pay(shop.session(shop.month, discounts=[{"coupon": named}]))
    for path in (f"/v1/subscriptions/{bought['subscription']}", f"/v1/invoices/{bought['invoice']}"):
        old = stripe_client.raw_request("get", path, stripe_version="2024-06-20")
        assert json.loads(old.body)["discount"]["coupon"]["id"] == named
        assert "discount" not in json.loads(stripe_client.raw_request("get", path).body)


def test_a_subscription_made_by_api_can_be_discounted_and_taxed(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    api, place = stripe_client.v1.subscriptions, {"country": "DE"}
    customer = stripe_client.v1.customers.create({"address": place, "payment_method": "pm_card_visa"})
    nowhere = stripe_client.v1.customers.create({"payment_method": "pm_card_visa"})
    named, promoted = coupon(shop, duration="forever"), code(shop)
    wanted: Any = {
        "customer": customer.id,
        "items": [{"price": shop.month["id"]}],
        "discounts": [{"coupon": named}, {"promotion_code": promoted["id"]}],
        "automatic_tax": {"enabled": True},
    }
    made = api.create(wanted | {"expand": ["latest_invoice", "discounts"]})
    first: Any = made.latest_invoice
    assert next(entry.source.coupon for entry in made.discounts if not isinstance(entry, str)) == named
    assert [entry["amount"] for entry in first["total_discount_amounts"]] == [475, 356]
    assert first["total"] == 1069 + 214
    assert len(api.retrieve(made.id).discounts) == 1
    for wrong, code_of_it in (
        ({"customer": nowhere.id}, "customer_tax_location_invalid"),
        ({"discounts": [{"coupon": "gone"}]}, "resource_missing"),
        ({"billing_cycle_anchor": shop.simulator.now + DAY}, "not_simulated"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            api.create(wanted | wrong)
        assert refused.value.code == code_of_it
