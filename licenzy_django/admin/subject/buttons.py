"""What an operator may do, as buttons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from licenzy_django.admin.subject.actions import offered
from licenzy_django.models import Subject


@dataclass(frozen=True, slots=True)
class Button:
    url: str
    words: Any
    is_dangerous: bool = False


def buttons(request: HttpRequest, subject: Subject, row: Model) -> list[Button]:
    """What this operator may do to a row of the subject's."""
    return [
        Button(action_url(subject, action.slug, action.target_of(row)), action.button, action.is_dangerous)
        for action in offered(request, row)
    ]


def buttons_of_subject(request: HttpRequest, subject: Subject) -> list[Button]:
    return [
        Button(action_url(subject, action.slug), action.title, action.is_dangerous)
        for action in offered(request, subject)
    ]


def action_url(subject: Subject, slug: str, target: str = "") -> str:
    if target:
        return reverse("admin:licenzy_subject_act_on", args=[subject.pk, slug, target])
    return reverse("admin:licenzy_subject_act", args=[subject.pk, slug])
