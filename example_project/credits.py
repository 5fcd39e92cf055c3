"""Credits: a small tool that costs what it needed, how many are left, and what was used in the last 30 days."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from licenzy_django import access, usage
from licenzy_django.exceptions import IdempotencyKeyInUse, InsufficientUsage, ReservationClosed

MOST_CREDITS = 30
WORDS = (
    "moss",
    "fern",
    "heron",
    "ridge",
    "mist",
    "wren",
    "alder",
    "creek",
    "stone",
    "dusk",
    "bracken",
    "lark",
    "gorse",
)


@login_required
@require_GET
def credits_page(request: HttpRequest) -> HttpResponse:
    balance = access.summary(request).units.get("credits")
    context = {
        "granted": balance.granted if balance else 0,
        "left": balance.remaining if balance else 0,
        "resets_at": balance.resets_at if balance else None,
        "most": MOST_CREDITS,
        "token": uuid.uuid4(),
        "note": request.session.get("note"),
        "picture": Picture.of(usage.by_day(request, days=30)),
    }
    return render(request, "shop/credits.html", context)


@login_required
@require_POST
def generate(request: HttpRequest) -> HttpResponse:
    """Sets the most it may cost aside, works, and pays what it took. The form's token makes a double click one note."""
    try:
        token = str(uuid.UUID(request.POST.get("token")))
    except (TypeError, ValueError):
        return HttpResponseBadRequest("This form has no token of ours.")
    topic = request.POST.get("topic", "").strip()[:60] or "the meadow"
    try:
        with usage.reserve(request, MOST_CREDITS, idempotency_key=f"note-{request.user.pk}-{token}") as reserved:
            note = written(topic, token)
            reserved.use(min(len(note.split()), MOST_CREDITS))
    except InsufficientUsage as refusal:
        messages.warning(request, f"A note may take {MOST_CREDITS} credits, and you have {refusal.usage_remaining}.")
    except (ReservationClosed, IdempotencyKeyInUse):
        messages.warning(request, "This form was sent before. Nothing was charged now.")
    else:
        request.session["note"] = {"text": note, "cost": reserved.used}
    return redirect("credits")


def written(topic: str, token: str) -> str:
    """Stands in for the costly work: the same token writes the same note, of 8 to 24 words about the topic."""
    chance = random.Random(token)  # noqa: S311
    return (
        f"{topic[0].upper()}{topic[1:]}: " + ", ".join(chance.choice(WORDS) for _ in range(chance.randint(8, 24))) + "."
    )


@dataclass(frozen=True)
class Bar:
    x: int
    y: float
    height: float
    label: str


@dataclass(frozen=True)
class Picture:
    """The bars of an SVG of 600 × 120, a day each."""

    bars: list[Bar]
    most: int
    total: int
    first: str

    @classmethod
    def of(cls, days: list[usage.DayOfUse]) -> Picture:
        most = max(day.units for day in days)
        heights = [day.units / (most or 1) * 120 for day in days]
        bars = [
            Bar(number * 20 + 2, 120 - height, height, f"{in_words(day.day)}: {day.units:,}")
            for number, (day, height) in enumerate(zip(days, heights, strict=True))
        ]
        return cls(bars, most, sum(day.units for day in days), in_words(days[0].day))


def in_words(day: date) -> str:
    return f"{day.day} {day:%B}"
