"""The story as a person sees it. Screenshots of every step land in ``screenshots/``, which git ignores."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.shops import REPOSITORY, Shop, open_shop

with suppress(ModuleNotFoundError):  # The quick suite does without: it deselects all of this.
    from playwright.sync_api import Browser, Page, expect, sync_playwright

pytestmark = pytest.mark.browser
SCREENSHOTS = REPOSITORY / "screenshots"
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
SIZES = {"wide": {"width": 1280, "height": 860}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Its webhooks come late enough to look at the pages before."""
    with open_shop(tmp_path_factory.mktemp("shop"), webhook_delay_seconds=4) as shop:
        yield shop


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    SCREENSHOTS.mkdir(exist_ok=True)
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, chromium: Browser, shop: Shop) -> Iterator[Page]:
    """A fresh visitor, on a desktop and on a phone. Asking another host, or an error in the console, is a failure."""
    context = chromium.new_context(viewport=SIZES[request.param], base_url=shop.url)
    page = context.new_page()
    page.size = request.param
    complaints: list[str] = []
    page.on("request", lambda sent: sent.url.startswith(shop.url) or complaints.append(f"asks {sent.url}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: said.type == "error" and " 403 " not in said.text and complaints.append(said.text))
    yield page
    context.close()
    assert not complaints


def show(page: Page, name: str) -> None:
    """A screenshot, and nothing sticks out at this width."""
    page.screenshot(path=Path(SCREENSHOTS, f"{name}-{page.size}.png"), full_page=True)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], f"{name} scrolls sideways"


def become_a_guest(page: Page) -> None:
    page.goto("/")
    show(page, "1-pricing-before-an-account")
    page.get_by_role("button", name="Create a demo account").click()
    expect(page.get_by_role("status")).to_contain_text("You are guest-")


def go_to_the_payment_page(page: Page, product: str) -> None:
    page.goto("/")
    page.get_by_role("button", name=f"Buy {product}").click()
    expect(page.get_by_text(re.compile("simulat", re.IGNORECASE)).first).to_be_visible()


def test_access_turns_on_when_the_payment_is_confirmed_and_not_before(page: Page, shop: Shop) -> None:
    become_a_guest(page)
    show(page, "2-pricing")
    assert page.goto("/members/").status == 403
    show(page, "3-members-before-paying")

    go_to_the_payment_page(page, "Pro, monthly")
    show(page, "4-payment-page")
    page.get_by_role("button", name=re.compile("by card")).first.click()

    expect(page.get_by_role("heading", name="Confirming your payment")).to_be_visible()
    show(page, "5-back-before-the-webhook")
    elsewhere = page.context.new_page()
    assert elsewhere.goto("/members/").status == 403, "The redirect alone has unlocked something."
    elsewhere.close()

    expect(page.get_by_role("heading", name="Thank you. You are in.")).to_be_visible(timeout=20_000)
    show(page, "6-after-the-webhook")
    page.get_by_role("link", name="Open the archive").click()
    expect(page.get_by_role("heading", name="The archive")).to_be_visible()
    show(page, "7-members")
    page.goto("/account/")
    expect(page.get_by_text("Renews on")).to_be_visible()
    show(page, "8-account")


def test_a_bank_debit_is_waited_for(page: Page) -> None:
    become_a_guest(page)
    go_to_the_payment_page(page, "Week pass")
    page.get_by_role("button", name="Use a bank debit").click()
    expect(page.get_by_role("heading", name="Waiting for your bank")).to_be_visible(timeout=20_000)
    show(page, "9-waiting-for-the-bank")
    page.goto("/account/")
    expect(page.get_by_text("when the money arrives")).to_be_visible()
    show(page, "9-waiting-account")


def test_the_pages_work_without_javascript(chromium: Browser, shop: Shop) -> None:
    context = chromium.new_context(base_url=shop.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("button", name="Create a demo account").click()
    go_to_the_payment_page(page, "Week pass")
    page.get_by_role("button", name=re.compile("by card")).first.click()
    expect(page.get_by_role("heading", name="Confirming your payment")).to_be_visible()
    expect(page.get_by_role("heading", name="Thank you. You are in.")).to_be_visible(timeout=20_000)
    context.close()
