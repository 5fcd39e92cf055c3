"""The support story in a browser. Screenshots of every step land in ``screenshots/``, which git ignores."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from pytest_django.live_server_helper import LiveServer

from licenzy_django import access, operators, usage
from licenzy_django.models import ApiKey, CheckoutAttempt, Delivery, Entitlement, StripeEvent
from licenzy_django.outbound import endpoints
from licenzy_django.testing import StripeDouble

with suppress(ModuleNotFoundError):  # The quick suite does without: it deselects all of this.
    from playwright.sync_api import Browser, Page, expect, sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SCREENSHOTS = Path(__file__).resolve().parents[2] / "screenshots"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
PASSWORD = "a long enough one"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    SCREENSHOTS.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as started:
        # Playwright runs an event loop in this thread, which is otherwise a plain one.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = started.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[LiveServer]:
    """Started after the test database has its name: before, it would share one connection among its threads."""
    started = LiveServer("127.0.0.1")
    yield started
    started.stop()


@pytest.fixture(params=["wide", "phone", "dark"])
def page(request: pytest.FixtureRequest, chromium: Browser, server: LiveServer) -> Iterator[Page]:
    """An operator's browser. Asking another host, or an error in the console, is a failure."""
    look = request.param
    context = chromium.new_context(
        viewport=PHONE if look == "phone" else WIDE,
        base_url=server.url,
        color_scheme="dark" if look == "dark" else "light",
    )
    page = context.new_page()
    page.look = look
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    complaints: list[str] = []
    page.on("request", lambda sent: sent.url.startswith(server.url) or complaints.append(f"asks {sent.url}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: said.type == "error" and " 403 " not in said.text and complaints.append(said.text))
    yield page
    context.close()
    assert not complaints


@pytest.fixture
def paid_and_failed(stripe_double: StripeDouble) -> StripeDouble:
    """user_42 has used the product for a while; the newest payment's event failed on our side."""
    double = stripe_double
    double.sell("PRO_MONTHLY", features=["export"])
    double.sell("CREDITS", kind="usage_pack", valid_days=90)
    double.sell("WEEK", kind="time_pass")
    endpoints.create("test", "https://hooks.example.com/licenzy", description="CRM")
    ApiKey.objects.issue("test", "Old backend")
    double.buy("user_42", "CREDITS")
    for day, units in enumerate([40, 0, 120, 80, 10, 0, 0, 200, 150, 60, 30]):
        double.simulator.advance(timedelta(days=1))
        if units:
            usage.consume("user_42", units, mode="test", idempotency_key=f"day-{day}")
    other = double.buy("user_7", "PRO_MONTHLY")
    double.cancel(other)
    double.buy("user_8", "WEEK")
    usage.consume("user_42", 310, mode="test", idempotency_key="the rest")
    Delivery.objects.filter(event__type="usage.consumed").update(status="sent", sent_at=double.now, attempts=1)
    Delivery.objects.filter(pk=Delivery.objects.order_by("-pk")[0].pk).update(
        status="dead", sent_at=None, attempts=8, last_status=500, last_error="HTTP 500"
    )
    double.simulator.advance(timedelta(hours=3))
    double.simulator.pay(double.checkout("user_42", "WEEK"))
    double.faults.add("GET", "/v1/checkout/sessions/*/line_items", "drop_before", times=3)
    double.deliver()
    double.simulator.advance(timedelta(minutes=7))
    assert StripeEvent.objects.filter(status="failed").count() == 1
    return double


def operator(*codenames: str) -> str:
    """A member of staff; returns the name to log in with."""
    user = User.objects.create_user(
        "ada" if "support" in codenames else "-".join(codenames), None, PASSWORD, is_staff=True
    )
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="licenzy", codename__in=codenames))
    return user.get_username()


def log_in(page: Page, *codenames: str) -> None:
    page.goto("/admin/licenzy/")
    page.get_by_label("Username").fill(operator(*codenames))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def show(page: Page, name: str) -> None:
    page.screenshot(path=SCREENSHOTS / f"portal-{name}-{page.look}.png", full_page=True)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], f"{name} scrolls sideways"


def search(page: Page, pasted: str) -> None:
    page.get_by_role("searchbox", name="Find").fill(pasted)
    page.get_by_role("search").get_by_role("button", name="Search").click()


def give_a_reason(page: Page, words: str, button: str) -> None:
    page.get_by_label("Reason").fill(words)
    page.get_by_role("button", name=button).click()


def test_i_paid_and_have_no_access(page: Page, paid_and_failed: StripeDouble) -> None:
    log_in(page, "support")
    show(page, "1-start")
    session_id = CheckoutAttempt.objects.get(product__code="WEEK", subject__subject_ref="user_42").stripe_session_id
    search(page, f" {session_id} ")

    expect(page.get_by_role("heading", name="user_42 has no access now.")).to_be_visible()
    expect(page.get_by_text("handling it failed, so what it says does not count yet").first).to_be_visible()
    show(page, "2-no-access-and-why")

    page.get_by_role("link", name="Replay the failed event").click()
    show(page, "3-replay")
    give_a_reason(page, "Ticket 4711: customer paid", "Replay")

    expect(page.get_by_role("heading", name="user_42 has access now, through WEEK.")).to_be_visible()
    expect(page.get_by_text("Ticket 4711: customer paid").first).to_be_visible()
    show(page, "4-access-is-on")
    assert access.check("user_42")


def test_a_gift_and_its_end(page: Page, paid_and_failed: StripeDouble) -> None:
    log_in(page, "support")
    search(page, "user_7")
    show(page, "5-canceled")
    page.get_by_role("link", name="Grant a product").click()
    page.get_by_label("Product").select_option(label="PRO_MONTHLY")
    until = paid_and_failed.now + timedelta(days=14)
    page.get_by_label("Until").fill(f"{until:%Y-%m-%dT%H:%M}")
    page.get_by_label("Units").fill("5")
    give_a_reason(page, "Goodwill, ticket 12", "Grant")
    expect(page.get_by_text("Only a usage pack has units.")).to_be_visible()
    show(page, "6-grant-put-right")
    page.get_by_label("Units").fill("")
    page.get_by_role("button", name="Grant").click()

    expect(page.get_by_role("heading", name="user_7 has access now, through PRO_MONTHLY.")).to_be_visible()
    expect(page.get_by_text("Goodwill, ticket 12").first).to_be_visible()
    show(page, "7-granted")
    gift = Entitlement.objects.get(source="portal")
    page.get_by_role("row", name=re.compile(gift.public_id)).get_by_role("link", name="Revoke").click()
    show(page, "8-revoke")
    give_a_reason(page, "Granted to the wrong one", "Revoke")
    expect(page.get_by_role("heading", name="user_7 has no access now.")).to_be_visible()
    show(page, "9-revoked")


def test_units_and_what_the_health_page_says(page: Page, paid_and_failed: StripeDouble) -> None:
    operators.grant(
        "user_9", Entitlement.objects.get(product__code="WEEK").product, actor=None, reason="r", request_id="9"
    )
    log_in(page, "support")
    page.get_by_role("link", name="Health").click()
    expect(page.get_by_role("heading", name="Stripe events that failed: 1")).to_be_visible()
    show(page, "10-health")
    page.goto("/admin/licenzy/")
    search(page, "user_42")
    expect(page.get_by_text("0 of 1000 left")).to_be_visible()
    show(page, "11-units")


def test_a_viewer_sees_no_buttons_and_posting_anyway_is_refused(page: Page, paid_and_failed: StripeDouble) -> None:
    log_in(page, "look")
    search(page, "user_42")
    expect(page.get_by_role("heading", name="user_42 has no access now.")).to_be_visible()
    for words in ("Grant", "Replay", "Revoke", "Compare with Stripe", "Send again"):
        expect(page.get_by_role("link", name=words)).to_have_count(0)
    show(page, "12-looking-only")
    event = StripeEvent.objects.get(status="failed")
    subject_page = page.url.removesuffix("change/")
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "csrftoken")
    answer = page.request.post(
        f"{subject_page}do/replay/{event.event_id}/", form={"reason": "x", "tries": "1", "csrfmiddlewaretoken": token}
    )
    assert answer.status == 403
    event.refresh_from_db()
    assert event.status == "failed"


def test_an_api_key_is_shown_once(page: Page, stripe_double: StripeDouble) -> None:
    log_in(page, "configure")
    page.goto("/admin/licenzy/apikey/add/")
    page.get_by_label("Name").fill("Shop backend")
    show(page, "13-new-key")
    page.get_by_role("button", name="Create the key").click()
    key = page.locator("#licenzy-secret").inner_text()
    assert key.startswith("lz_test_")
    show(page, "14-key-shown-once")
    page.get_by_role("link", name="I have kept it").click()
    expect(page.get_by_text("Shop backend")).to_be_visible()
    assert key not in page.content()
    page.get_by_role("link", name="Shop backend").click()
    page.get_by_role("link", name="Revoke this key").click()
    show(page, "15-revoke-key")
