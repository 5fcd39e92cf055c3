"""The units on a subject's page: packs and windows of each kind, now, next and over; and adjusting a window."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from licenzy_django import usage
from licenzy_django.admin.links import page_of
from licenzy_django.admin.subject.explanations import moment
from licenzy_django.models import EntitlementChange, Pack, Subject
from tests.shelf import Shelf

pytestmark = pytest.mark.django_db


def page(client: Client, subject: str = "user_1") -> Any:
    answer = client.get(page_of(Subject.objects.get(subject_ref=subject).pk))
    assert answer.status_code == 200
    return answer


def text_of(client: Client) -> str:
    return " ".join(page(client).content.decode().split())


def states(client: Client) -> list[str]:
    [unit] = page(client).context["units"].units
    return [shown.state for shown in unit.packs]


def act_on(pack: Pack) -> str:
    return reverse("admin:licenzy_subject_act_on", args=[pack.subject_id, "adjust-window", pack.pk])


def posted(client: Client, pack: Pack, units: int, request_id: str = "form-1") -> Any:
    return client.post(act_on(pack), {"units": units, "reason": "they waited long", "request_id": request_id})


def test_what_is_now_comes_first_then_what_comes_next_then_what_is_over(looker: Client, shelf: Shelf) -> None:
    plan = shelf.plan()
    shelf.window(plan, 800, day=-32)
    shelf.window(plan, 200, day=-32, rolls_for=30)
    shelf.window(plan, 500, day=-1, days=1, is_void=True)
    shelf.window(plan, 800, day=-2)
    shelf.window(plan, 200, day=-2, rolls_for=30)
    shelf.window(plan, 800, day=28)

    now_rolling, now, rolled, coming, void, over = states(looker)

    assert (now_rolling, now, rolled, void, over) == ("now, rolls over", "now", "rolled over", "void", "over")
    assert coming.startswith("begins ")


def test_each_kind_says_what_is_left_and_when_it_resets(looker: Client, shelf: Shelf) -> None:
    window = shelf.window(shelf.plan(), 1000, used=100)
    shelf.give(50, code="SMS", unit="sms")

    text = text_of(looker)

    assert window.ends_at is not None
    assert "900 of 1000 left" in text
    assert f"resets on {date_format(timezone.localtime(window.ends_at), 'j F')}" in text
    assert "<code>sms</code> · 50 of 50 left" in text
    assert "consumed: 100" in text
    assert "remaining: 900" in text


def test_the_numbers_of_a_row_know_of_reservations_that_expired(looker: Client, shelf: Shelf) -> None:
    shelf.window(shelf.plan(), 1000)
    usage.reserve("user_1", 400, idempotency_key="k", ttl_seconds=60)
    [unit] = page(looker).context["units"].units
    assert [(shown.reserved, shown.left) for shown in unit.packs] == [(400, 600)]

    shelf.double.advance(seconds=61)

    [unit] = page(looker).context["units"].units
    assert [(shown.reserved, shown.left) for shown in unit.packs] == [(0, 1000)]


def test_what_can_be_used_no_more_is_shown_and_said(looker: Client, shelf: Shelf) -> None:
    shelf.window(shelf.plan(), 1000, day=-40)

    assert "none can be used now" in text_of(looker)
    assert states(looker) == ["over"]


def test_a_window_of_a_subscription_that_gives_no_access_is_off(looker: Client, shelf: Shelf) -> None:
    window = shelf.window(shelf.plan(), 1000, day=-2)
    Pack.objects.filter(pk=window.pk).update(available_until=window.starts_at)

    assert states(looker) == ["off: the subscription gives no access"]


def test_the_sentence_says_what_is_left_of_an_allowance(looker: Client, shelf: Shelf) -> None:
    plan = shelf.plan()
    window = shelf.window(plan, 1000, used=100)
    assert window.ends_at is not None
    until = moment(window.ends_at)
    assert f"900 of 1,000 credits are left until {until}." in text_of(looker)

    shelf.window(plan, 200, day=-32, rolls_for=30)
    assert "1,100 of 1,200 credits are left until" in text_of(looker)
    assert "200 of them have rolled over." in text_of(looker)

    Pack.objects.filter(pk=window.pk).update(is_void=True)
    assert "200 credits are left, which have rolled over." in text_of(looker)


def test_many_windows_are_bounded_and_cost_no_query_more(supporter: Client, shelf: Shelf) -> None:
    few, many = shelf.plan(to="few"), shelf.plan(to="many")
    for plan in (few, many):
        shelf.window(plan)
    for number in (*range(1, 16), *range(-40, 0)):
        shelf.window(many, day=30 * number)
    counts = []
    for subject in ("few", "many"):
        page(supporter, subject)
        with CaptureQueriesContext(connection) as queries:
            shown = page(supporter, subject).context["units"]
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 25
    assert (len(shown.units[0].packs), shown.has_more) == (20 + 12, True)
    assert shown.units[0].packs[0].state == "now"


def test_the_list_of_packs_is_searched_by_subject_and_source(looker: Client, shelf: Shelf) -> None:
    window, pack = shelf.window(shelf.plan()), shelf.give(5, to="user_2").pack
    url = reverse("admin:licenzy_pack_changelist")
    for term, found in (("user_2", pack), (window.source_id, window), (window.owner.public_id, window)):
        assert list(looker.get(url, {"q": term}).context["cl"].result_list) == [found]
    for number in range(5):
        shelf.window(shelf.plan(f"P{number}"))
    with CaptureQueriesContext(connection) as queries:
        looker.get(url)
    assert len(queries) <= 8
    one = looker.get(reverse("admin:licenzy_pack_change", args=[window.pk]))
    assert one.status_code == 200
    assert looker.post(reverse("admin:licenzy_pack_change", args=[window.pk]), {}).status_code == 403


def test_who_supports_adjusts_the_window_that_runs_once(supporter: Client, looker: Client, shelf: Shelf) -> None:
    window = shelf.window(shelf.plan(), 1000, used=100)
    assert act_on(window) in text_of(supporter)
    assert "900 of 1000 credits left" in supporter.get(act_on(window)).content.decode()

    for _ in range(2):
        posted(supporter, window, 50)

    assert usage.remaining("user_1") == 950
    change = EntitlementChange.objects.latest("pk")
    assert (change.note, change.actor.username if change.actor else None) == ("they waited long", "ada")
    assert LogEntry.objects.count() == 1
    assert act_on(window) not in text_of(looker)
    assert posted(looker, window, 50, "form-2").status_code == 403


def test_a_refusal_stands_on_the_form(supporter: Client, shelf: Shelf) -> None:
    window = shelf.window(shelf.plan(), 1000)

    answer = posted(supporter, window, -1001)

    assert answer.status_code == 200
    assert usage.remaining("user_1") == 1000


def test_only_a_window_that_runs_is_offered_and_only_ones_own_is_found(supporter: Client, shelf: Shelf) -> None:
    over = shelf.window(shelf.plan(), day=-40)
    coming = shelf.window(shelf.plan(), day=3)
    text = text_of(supporter)
    assert act_on(over) not in text
    assert act_on(coming) not in text

    other = Subject.objects.create(mode="test", subject_ref="user_2")
    pack = shelf.give(5).pack
    assert pack is not None
    for subject_pk, target in ((other.pk, over.pk), (over.subject_id, pack.pk), (other.pk, "x"), (other.pk, "9" * 40)):
        url = reverse("admin:licenzy_subject_act_on", args=[subject_pk, "adjust-window", target])
        assert supporter.get(url).status_code == 404
