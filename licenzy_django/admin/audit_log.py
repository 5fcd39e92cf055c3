"""Who did what, and why: the reason that every action asks for, and its line in Django's admin log."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from licenzy_django import clock
from licenzy_django.conf import LicenzySettings, licenzy_settings
from licenzy_django.models.base import random_text

DEFAULT_CLOCK = LicenzySettings().CLOCK


class ReasonForm(forms.Form):
    """What every action asks."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text=_("Kept in the history, with your name. A ticket number helps."),
    )


def new_request_id() -> str:
    """Put into a form, so that sending it twice does it once."""
    return random_text(24)


def log_action(request: HttpRequest, row: Model, what: Any, *, reason: str = "", is_new: bool = False) -> None:
    """One line in the admin's log, on the row that was acted on."""
    if request.user.pk is None:
        raise PermissionDenied
    written: Any = LogEntry.objects.log_actions(
        user_id=request.user.pk,
        queryset=[row],
        action_flag=ADDITION if is_new else CHANGE,
        change_message=f"{what} {reason}".strip(),
        single_object=True,
    )
    if licenzy_settings().CLOCK != DEFAULT_CLOCK:
        # Time that was skipped in a demo is skipped here too, or the timeline would be out of order.
        LogEntry.objects.filter(pk=written.pk).update(action_time=clock.now())
