"""Plans as a person sees them, in light and dark, on a desktop and on a phone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.shops import Shop
from tests.e2e.test_story_in_chromium import FLAGS, SCREENSHOTS, SIZES

with suppress(ModuleNotFoundError):  # The quick suite does without: it deselects all of this.
    from playwright.sync_api import Browser, Page, expect, sync_playwright

pytestmark = pytest.mark.browser
LOOKS = [("wide", "light"), ("wide", "dark"), ("phone", "light"), ("phone", "dark")]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    SCREENSHOTS.mkdir(exist_ok=True)
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=LOOKS, ids="-".join)
def guest(request: pytest.FixtureRequest, chromium: Browser, shop: Shop) -> Iterator[Page]:
    """Somebody who has just made an account. An error in the console is a failure."""
    size, scheme = request.param
    context = chromium.new_context(viewport=SIZES[size], base_url=shop.url, color_scheme=scheme)
    page = context.new_page()
    page.look = f"{size}-{scheme}"
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.goto("/")
    page.get_by_role("button", name="Create a demo account").click()
    yield page
    context.close()
    assert not complaints


def show(page: Page, name: str) -> None:
    """A screenshot, and nothing sticks out at this width."""
    page.screenshot(path=Path(SCREENSHOTS, f"plans-{name}-{page.look}.png"), full_page=True)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], f"{name} scrolls sideways"


def wait_for_access(page: Page) -> None:
    expect(page.get_by_role("heading", name="Thank you. You are in.")).to_be_visible(timeout=20_000)


def test_a_plan_is_bought_with_a_code_changed_canceled_and_kept(guest: Page) -> None:
    show(guest, "1-pricing")
    guest.get_by_role("button", name="Buy Pro, monthly").click()
    guest.get_by_label("Promotion code").fill("RIVER20")
    guest.get_by_role("button", name="Apply").click()
    expect(guest.get_by_text("15.20 EUR").first).to_be_visible()
    show(guest, "2-promotion-code-and-tax")
    guest.get_by_role("button", name=re.compile("by card")).first.click()
    wait_for_access(guest)

    guest.goto("/account/")
    show(guest, "3-account")
    guest.get_by_role("link", name="Switch to Pro, yearly").click()
    expect(guest.get_by_text("Due now")).to_be_visible()
    show(guest, "4-switch-to-yearly")
    guest.get_by_role("button", name=re.compile("Switch and pay")).click()
    expect(guest.get_by_role("status")).to_contain_text("Your plan has changed")

    guest.get_by_role("link", name="Switch to Pro, monthly").click()
    show(guest, "5-switch-back-later")
    guest.get_by_role("button", name="Switch").click()
    expect(guest.get_by_text("it becomes Pro, monthly")).to_be_visible()
    show(guest, "6-scheduled")
    guest.get_by_role("button", name="Keep Pro, yearly").click()
    expect(guest.get_by_role("status")).to_contain_text("stays as it is")

    guest.get_by_role("link", name="Cancel").click()
    show(guest, "7-cancel")
    guest.get_by_role("button", name="Cancel it").click()
    expect(guest.get_by_text("it will not renew")).to_be_visible()
    show(guest, "8-canceled")
    guest.get_by_role("button", name="Keep Pro, yearly").click()
    expect(guest.get_by_text("Renews on")).to_be_visible()

    guest.get_by_role("link", name="Receipts").click()
    expect(guest.get_by_role("heading", name="€15.20")).to_be_visible()
    show(guest, "9-receipts")


def test_a_trial_begins_on_a_card(guest: Page) -> None:
    guest.get_by_role("button", name="Try Pro, yearly for 14 days").click()
    expect(guest.get_by_text("14 days free")).to_be_visible()
    show(guest, "10-trial-page")
    guest.get_by_role("button", name=re.compile("Start the trial")).click()
    wait_for_access(guest)
    guest.goto("/account/")
    expect(guest.get_by_text("Free until")).to_be_visible()
    show(guest, "11-trial-account")
