"""What every action of an operator is: a verb, a form that asks why, and a line in the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from licenzy_django import operators
from licenzy_django.admin.audit_log import ReasonForm, log_action
from licenzy_django.admin.permissions import SUPPORT
from licenzy_django.models import Subject

Words = str | Promise


class ActionFailed(Exception):
    """It was tried and did not work; the sentence says why."""


@dataclass(frozen=True, slots=True)
class ShowFirst:
    """What the operator has to see before it is done: lines for the page, and the form that confirms them."""

    lines: Sequence[Words]
    form: ReasonForm


class Action:
    """Something done to a subject, or to one of its rows. A button for it stands wherever such a row is shown.

    Attributes:
        slug: its name in the address.
        permission: who may do it.
        model: what it is done to.
        title: of the page that asks, and of the button at the top of the subject's page.
        button: what the button that does it says, and the one beside a row.
        is_dangerous: the button is red.
    """

    slug = ""
    permission = SUPPORT
    model: type[Model] = Subject
    title: Words = ""
    button: Words = ""
    is_dangerous = False
    form: type[ReasonForm] = ReasonForm

    def is_permitted(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.permission)

    def is_offered(self, row: Any) -> bool:
        """Whether there is a button for it where this row is shown. ``act`` must not rely on it."""
        return True

    def target_of(self, row: Any) -> str:
        """What names the row in the address; ``find`` reads it."""
        return str(row.public_id)

    def find(self, subject: Subject, target: str) -> Any:
        """The row that it is done to: the subject's own, never another's. Raises Http404."""
        return subject

    def form_for(self, subject: Subject, row: Any, given: Any) -> ReasonForm:
        return self.form(given)

    def consequences(self, subject: Subject, row: Any) -> Sequence[Words]:
        """What will happen, for the page that asks."""
        return []

    def show_first(self, subject: Subject, row: Any, form: Any) -> ShowFirst | None:
        """What a form that is filled in has to be confirmed with; None where nothing has to. Raises LicenzyError."""
        return None

    def act(self, request: HttpRequest, subject: Subject, row: Any, given: dict[str, Any]) -> str:
        """Do it. Returns what to tell the operator; raises LicenzyError or ActionFailed."""
        raise NotImplementedError


NOTHING_MORE = gettext_lazy("That was done already; nothing more has changed.")


def result(request: HttpRequest, done: operators.Done[Any], row: Model, what: str, reason: str) -> str:
    """Log a change that this call has made, and say so; a second click says that it was the second."""
    if not done.changed:
        return str(NOTHING_MORE)
    log_action(request, row, what, reason=reason)
    return what
