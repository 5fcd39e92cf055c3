"""The pages that every shop needs."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from licenzy_django import access, clock, views
from licenzy_django.exceptions import IdempotencyKeyInUse
from licenzy_django.models import CheckoutAttempt
from licenzy_django.sync import comparison
from licenzy_django.testing import StripeDouble
from tests.servers import FormReader

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.views.urls"),
    pytest.mark.sells("PRO_MONTHLY", WEEK_PASS={"kind": "time_pass"}),
]


@pytest.fixture(autouse=True)
def host(settings: Settings) -> None:
    settings.LICENZY = {**settings.LICENZY, "ALLOWED_REDIRECT_HOSTS": ["testserver"]}
    settings.LOGIN_URL = "/log-in/"


@pytest.fixture
def client(ada: User) -> Client:
    return logged_in(ada)


def logged_in(user: User, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


def buy(client: Client, code: str = "PRO_MONTHLY", token: str = "t1") -> Any:
    return client.post("/buy/", {"product_code": code, "token": token})


def session_of(stripe: StripeDouble) -> dict[str, Any]:
    session_id = CheckoutAttempt.objects.latest("pk").stripe_session_id
    return stripe.simulator.get("checkout.session", session_id)


def a_moment_later() -> None:
    """Stripe may be asked again. The double's clock would deliver the webhook too."""
    CheckoutAttempt.objects.update(asked_at=clock.now() - comparison.ASK_EVERY)


def test_buying_goes_to_stripe_and_grants_nothing(client: Client, stripe: StripeDouble, ada: User) -> None:
    answer = buy(client)
    assert answer.status_code == 302
    session = session_of(stripe)
    assert answer["Location"].endswith(session["id"])
    assert session["success_url"] == "http://testserver/return/?session_id={CHECKOUT_SESSION_ID}"
    assert session["cancel_url"] == "http://testserver/prices/"
    assert not access.check(ada)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/return/?plan=pro", "http://testserver/return/?plan=pro&session_id={CHECKOUT_SESSION_ID}"),
        ("/return/?", "http://testserver/return/?session_id={CHECKOUT_SESSION_ID}"),
        ("/return/#thanks", "http://testserver/return/?session_id={CHECKOUT_SESSION_ID}#thanks"),
    ],
)
def test_a_way_back_keeps_its_own_query(
    path: str, asked: str, client: Client, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views.StartCheckoutView, "absolute", lambda view, _: f"http://testserver{path}")
    buy(client)
    assert session_of(stripe)["success_url"] == asked


def test_a_double_click_opens_one_checkout(client: Client, stripe: StripeDouble) -> None:
    first = buy(client, "WEEK_PASS")["Location"]
    assert buy(client, "WEEK_PASS")["Location"] == first
    assert buy(client, "WEEK_PASS", token="t2")["Location"] != first
    assert buy(client, "WEEK_PASS", token="")["Location"] != buy(client, "WEEK_PASS", token="")["Location"]


def test_two_people_with_one_token_get_two_checkouts(client: Client, stripe: StripeDouble) -> None:
    eve = logged_in(User.objects.create_user("eve"))
    assert buy(client)["Location"] != buy(eve)["Location"]


def test_the_second_click_waits_for_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views.time, "sleep", lambda seconds: None)
    clicks = iter([IdempotencyKeyInUse(), IdempotencyKeyInUse(), None])

    def open_page() -> Any:
        if error := next(clicks):
            raise error
        return "the page"

    assert views.after_the_first_click(open_page) == "the page"


@pytest.mark.parametrize("path", ["/buy/", "/billing/"])
def test_forms_need_their_csrf_token_and_a_post(path: str, ada: User, stripe: StripeDouble) -> None:
    assert logged_in(ada, enforce_csrf_checks=True).post(path).status_code == 403
    asked = len(stripe.requests)
    logged_in(ada).get(path, {"product_code": "PRO_MONTHLY"})
    assert len(stripe.requests) == asked, "A GET opens nothing at Stripe."
    assert not CheckoutAttempt.objects.exists()


def after_log_in(path: str, ada: User, **form: str) -> Any:
    """The page that somebody gets who presses the button, is asked to log in, and does."""
    asked = Client().post(path, form)
    [back] = parse_qs(urlsplit(asked["Location"]).query)["next"]
    return logged_in(ada).get(back)


def pressed(page: Any, client: Client) -> Any:
    [form] = FormReader(page.content.decode()).forms
    return client.post(form.action, form.fields)


def test_who_has_to_log_in_first_still_buys_what_was_chosen(client: Client, stripe: StripeDouble, ada: User) -> None:
    page = after_log_in("/buy/?from=mail", ada, product_code="PRO_MONTHLY", token="t1", quantity="2")

    assert (page.status_code, page.context["product"].code) == (200, "PRO_MONTHLY")
    assert page.context["fields"] == {"product_code": "PRO_MONTHLY", "token": "t1", "quantity": "2"}
    assert pressed(page, client)["Location"].endswith(session_of(stripe)["id"])
    assert buy(client)["Location"].endswith(session_of(stripe)["id"]), "It is still the first form's one checkout."


def test_who_has_to_log_in_first_still_gets_to_billing(client: Client, stripe: StripeDouble, ada: User) -> None:
    stripe.buy(ada, "PRO_MONTHLY")
    page = after_log_in("/billing/", ada)

    assert (page.status_code, b"Manage billing" in page.content) == (200, True)
    assert pressed(page, client)["Location"].startswith("http")


def test_coming_back_without_a_choice_leads_to_the_prices(client: Client, stripe: StripeDouble, ada: User) -> None:
    assert after_log_in("/buy/", ada)["Location"] == "http://testserver/prices/"
    assert after_log_in("/buy/", ada, product_code="x" * 256)["Location"] == "http://testserver/prices/"
    for code in ("UNKNOWN", "\x00", "<script>"):
        answer = client.get("/buy/", {"product_code": code})
        assert (answer.status_code, b"not for sale" in answer.content) == (409, True)


def test_a_log_in_elsewhere_is_given_the_whole_address(stripe: StripeDouble, settings: Settings) -> None:
    settings.LOGIN_URL = "https://sso.example/"
    asked = Client().post("/buy/", {"product_code": "PRO_MONTHLY"})
    [back] = parse_qs(urlsplit(asked["Location"]).query)["next"]
    assert back == "http://testserver/buy/?product_code=PRO_MONTHLY"


@pytest.mark.parametrize("path", ["/buy/", "/billing/", "/return/", "/return/state/"])
def test_nobody_is_asked_to_log_in(path: str, stripe: StripeDouble) -> None:
    send = Client().post if path in ("/buy/", "/billing/") else Client().get
    answer = send(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/log-in/?next={path}")


def test_what_stands_in_the_way_is_told(client: Client, stripe: StripeDouble, ada: User) -> None:
    answer = buy(client, "UNKNOWN")
    assert (answer.status_code, b"not for sale" in answer.content) == (409, True)
    answer = client.post("/billing/")
    assert (answer.status_code, b"not bought anything" in answer.content) == (409, True)
    stripe.buy(ada, "PRO_MONTHLY")
    answer = buy(client, token="t3")
    assert (answer.status_code, b"nothing to pay" in answer.content) == (409, True)


def test_stripe_out_of_reach_is_told(client: Client, stripe: StripeDouble) -> None:
    stripe.faults.add("POST", "/v1/checkout/sessions", "timeout", times=9)
    answer = buy(client)
    assert (answer.status_code, b"not charged" in answer.content) == (503, True)


def test_billing_is_managed_on_stripes_page(client: Client, stripe: StripeDouble, ada: User) -> None:
    stripe.buy(ada, "PRO_MONTHLY")
    answer = client.post("/billing/")
    assert answer.status_code == 302
    asked = stripe.requests[-1]
    assert "account" in str(asked), asked


def test_the_return_page_asks_stripe_at_once(client: Client, stripe: StripeDouble, ada: User) -> None:
    buy(client)
    session = session_of(stripe)
    page = client.get(f"/return/?session_id={session['id']}")
    assert "Confirming your payment" in page.content.decode()
    assert not access.check(ada), "Coming back proves nothing."

    stripe.simulator.pay(session)
    asked = len(stripe.requests)
    assert client.get(f"/return/state/?session_id={session['id']}").json() == {"status": "created"}
    assert len(stripe.requests) == asked, "The poll never asks Stripe."

    a_moment_later()
    page = client.get(f"/return/?session_id={session['id']}")
    assert "Thank you" in page.content.decode()
    assert access.check(ada)
    assert client.get(f"/return/state/?session_id={session['id']}").json() == {"status": "finalized"}
    stripe.deliver()
    assert len(access.entitlements_of(ada)) == 1


def test_reloading_the_return_page_asks_stripe_once_in_a_while(client: Client, stripe: StripeDouble) -> None:
    buy(client)
    url = f"/return/?session_id={session_of(stripe)['id']}"
    before = len(stripe.requests)
    client.get(url)
    once = len(stripe.requests) - before
    for _ in range(5):
        assert "Confirming your payment" in client.get(url).content.decode()
    assert (once > 0, len(stripe.requests) - before) == (True, once)

    a_moment_later()
    client.get(url)
    assert len(stripe.requests) - before == 2 * once


def test_the_return_page_waits_for_the_webhook_while_stripe_is_out_of_reach(
    client: Client, stripe: StripeDouble, ada: User
) -> None:
    buy(client)
    session = session_of(stripe)
    stripe.simulator.pay(session)
    stripe.faults.add("GET", "/v1/checkout/sessions/*", "timeout", times=9)
    page = client.get(f"/return/?session_id={session['id']}").content.decode()
    assert "Confirming your payment" in page
    assert f'data-licenzy-state-url="/return/state/?session_id={session["id"]}"' in page
    asked = len(stripe.requests)
    assert client.get(f"/return/?session_id={session['id']}").status_code == 200
    assert len(stripe.requests) == asked, "What failed is not asked again at once."
    stripe.deliver()
    assert "Thank you" in client.get(f"/return/?session_id={session['id']}").content.decode()


def test_the_return_page_waits_for_the_webhook_where_the_database_refuses_its_question(
    client: Client, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    buy(client)
    session = session_of(stripe)

    def refuses(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("deadlock detected")

    monkeypatch.setattr(comparison, "reconcile", refuses)

    answer = client.get(f"/return/?session_id={session['id']}")

    assert answer.status_code == 200
    assert "Confirming your payment" in answer.content.decode()


@pytest.mark.parametrize("path", ["/return/", "/return/state/"])
def test_nobody_sees_the_checkout_of_another(path: str, client: Client, stripe: StripeDouble) -> None:
    buy(client)
    session = session_of(stripe)
    stripe.simulator.pay(session)
    asked = len(stripe.requests)
    eve = logged_in(User.objects.create_user("eve"))
    for session_id in (session["id"], "", "cs_test_unknown", "cs_test_\x00", "../v1/customers"):
        assert eve.get(path, {"session_id": session_id}).status_code == 404
    assert len(stripe.requests) == asked, "Stripe is not asked about somebody else's."


def test_the_return_page_says_how_an_order_ended(client: Client, stripe: StripeDouble) -> None:
    buy(client, "WEEK_PASS")
    session = session_of(stripe)
    stripe.simulator.pay_by_bank(session)
    url = f"/return/?session_id={session['id']}"
    assert "Waiting for your bank" in client.get(url).content.decode()
    CheckoutAttempt.objects.update(status="failed", failure_reason="payment_failed")
    assert "did not go through" in client.get(url).content.decode()
    CheckoutAttempt.objects.update(status="failed", failure_reason="expired")
    page = client.get(url)
    assert "has expired" in page.content.decode()
    assert "no-cache" in page["Cache-Control"]


def test_they_run_where_each_request_is_a_transaction(
    client: Client, stripe: StripeDouble, settings: Settings, ada: User
) -> None:
    settings.DATABASES["default"]["ATOMIC_REQUESTS"] = True
    try:
        assert buy(client).status_code == 302
        session = session_of(stripe)
        stripe.simulator.pay(session)
        assert b"Thank you" in client.get(f"/return/?session_id={session['id']}").content
        assert client.post("/billing/").status_code == 302
    finally:
        settings.DATABASES["default"]["ATOMIC_REQUESTS"] = False


def test_the_page_has_the_users_e_mail(client: Client, stripe: StripeDouble, ada: User) -> None:
    ada.email = "ada@example.com"
    ada.save()

    buy(client)

    assert [customer["email"] for customer in stripe.simulator.all("customer")] == ["ada@example.com"]


def test_what_is_no_e_mail_is_not_passed_on(client: Client, stripe: StripeDouble, ada: User) -> None:
    ada.email = "ada at home"
    ada.save()

    assert buy(client).status_code == 302

    assert [customer["email"] for customer in stripe.simulator.all("customer")] == [None]
