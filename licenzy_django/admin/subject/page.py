"""A subject's page: what is decided now and why, what it rests on, what is left, what happened. Looking only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from licenzy_django import access, clock, operators
from licenzy_django.access.availability import availability_of
from licenzy_django.admin import charts
from licenzy_django.admin.links import dashboard_url
from licenzy_django.admin.permissions import may_support
from licenzy_django.admin.subject import explanations, timeline
from licenzy_django.admin.subject.buttons import Button, buttons, buttons_of_subject
from licenzy_django.admin.subject.explanations import Held
from licenzy_django.admin.subject.timeline_entries import Happened
from licenzy_django.admin.subject.units import units_of
from licenzy_django.checkout.plan_groups import paid_twice
from licenzy_django.checkout.trials import second_trials
from licenzy_django.ledger.entries import use_by_day
from licenzy_django.models import CheckoutAttempt, Entitlement, EntitlementChange, Source, Subject, UnknownPrice
from licenzy_django.models.live_units import Allowance, allowances_of, live_packs

MOST_ENTITLEMENTS = 50
DAYS = 30


@dataclass(frozen=True, slots=True)
class ShownEntitlement:
    """A row of the table of entitlements."""

    held: Held
    sentence: str
    rests_on: str
    dashboard_url: str
    buttons: list[Button]


@dataclass(frozen=True, slots=True)
class ShownMoment:
    """A line of the timeline with its links and its buttons."""

    happened: Happened
    links: list[tuple[str, str]]
    buttons: list[Button]


def page_context(request: HttpRequest, subject: Subject) -> dict[str, Any]:
    """Everything that the template needs, in a number of queries that does not depend on the history."""
    at = clock.now()
    rows = newest_entitlements(subject)
    has_more = len(rows) > MOST_ENTITLEMENTS
    live = live_packs(subject.subject_ref, subject.mode, at)
    held = held_of(rows[:MOST_ENTITLEMENTS], at, allowances_of(live, rows))
    decision = access.check(subject.subject_ref, mode=subject.mode, at=at)
    behind = behind_decision(decision, held, subject, at)
    waiting = timeline.waiting_events(subject)
    page = timeline.page_of(subject, request.GET.get("before", ""))
    use = use_by_day(subject.subject_ref, subject.mode, days=DAYS, at=at)
    return {
        "subject": subject,
        "customer_url": dashboard_url(subject.stripe_customer_id, subject.mode),
        "decision": decision,
        "sentence": explanations.decision_sentence(subject.subject_ref, decision, behind),
        "why": [
            *explanations.why(decision, behind, [] if behind else newest_attempts(subject), waiting),
            *explanations.about_billing(
                unknown_prices_of(subject),
                paid_twice(subject.mode, subject=subject),
                second_trials(subject.mode, subject=subject),
            ),
        ],
        "waiting": [button for event in waiting for button in buttons(request, subject, event)],
        "entitlements": [shown_entitlement(one, subject, request) for one in held],
        "has_more_entitlements": has_more,
        "units": units_of(subject, live, at, lambda pack: buttons(request, subject, pack)),
        "use": charts.bars([(day.day, {"used": day.units}) for day in use]) if any(d.units for d in use) else None,
        "moments": [shown_moment(happened, subject, request) for happened in page.happened],
        "timeline": page,
        "can_act": may_support(request),
        "buttons": buttons_of_subject(request, subject),
    }


def newest_entitlements(subject: Subject) -> list[Entitlement]:
    """Those that can give access first."""
    rows = Entitlement.objects.filter(subject=subject).select_related("product", "attempt", "pack")
    return list(rows.order_by("-grants_access", "-pk")[: MOST_ENTITLEMENTS + 1])


def held_of(rows: list[Entitlement], at: datetime, allowances: Mapping[int, Allowance]) -> list[Held]:
    decided: dict[int, list[EntitlementChange]] = {}
    changes = EntitlementChange.objects.filter(entitlement__in=rows, reason__in=operators.DECISIONS)
    for change in changes.select_related("actor").order_by("-pk")[:200]:
        decided.setdefault(change.entitlement_id, []).append(change)
    return [Held(row, availability_of(row, at), decided.get(row.pk, []), allowances.get(row.pk)) for row in rows]


def behind_decision(decision: access.Decision, held: list[Held], subject: Subject, at: datetime) -> Held | None:
    """An entitlement that says the same as the decision, if possible its own; asked for only if none is shown."""
    if decision.entitlement_id is None:
        return None
    alike = [
        one
        for one in held
        if (one.availability.available, one.availability.reason) == (bool(decision), decision.reason)
    ]
    if alike:
        return next((one for one in alike if one.row.public_id == decision.entitlement_id), alike[0])
    rows = Entitlement.objects.filter(subject=subject, public_id=decision.entitlement_id)
    return next(iter(held_of(list(rows.select_related("product", "attempt", "pack")), at, {})), None)


def unknown_prices_of(subject: Subject) -> list[UnknownPrice]:
    return list(subject.unknown_prices.order_by("pk")[:MOST_ENTITLEMENTS]) if subject.has_unknown_prices else []


def newest_attempts(subject: Subject) -> list[CheckoutAttempt]:
    return list(CheckoutAttempt.objects.filter(subject=subject).select_related("product").order_by("-pk")[:1])


def shown_entitlement(held: Held, subject: Subject, request: HttpRequest) -> ShownEntitlement:
    row = held.row
    is_stripe = row.source == Source.STRIPE
    return ShownEntitlement(
        held=held,
        sentence=" ".join(filter(None, [explanations.held_sentence(held), explanations.scheduled_sentence(row)])),
        rests_on=row.source_id if is_stripe else held.by or row.source_id,
        dashboard_url=dashboard_url(row.source_id, row.mode) if is_stripe else "",
        buttons=buttons(request, subject, row),
    )


def shown_moment(happened: Happened, subject: Subject, request: HttpRequest) -> ShownMoment:
    links = [(stripe_id, dashboard_url(stripe_id, subject.mode)) for stripe_id in happened.stripe_ids]
    return ShownMoment(happened, links, buttons(request, subject, happened.row))
