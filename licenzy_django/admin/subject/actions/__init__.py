"""What an operator can do about a subject."""

from django.db.models import Model
from django.http import HttpRequest

from licenzy_django.admin.subject.actions.base import Action, ActionFailed
from licenzy_django.admin.subject.actions.deliveries import Requeue
from licenzy_django.admin.subject.actions.entitlements import Adjust, AdjustWindow, Grant, Restore, Revoke
from licenzy_django.admin.subject.actions.stripe import Expire, Replay, Sync
from licenzy_django.admin.subject.actions.subscriptions import Cancel, Change, Resume
from licenzy_django.admin.subject.actions.units import GiveBack

ACTIONS: dict[str, Action] = {
    action.slug: action
    for action in (
        Grant(),
        Change(),
        Cancel(),
        Resume(),
        Revoke(),
        Restore(),
        Adjust(),
        AdjustWindow(),
        GiveBack(),
        Expire(),
        Replay(),
        Sync(),
        Requeue(),
    )
}


def offered(request: HttpRequest, row: Model) -> list[Action]:
    """What this operator may do to a row as it is now."""
    return [
        action
        for action in ACTIONS.values()
        if isinstance(row, action.model) and action.is_permitted(request) and action.is_offered(row)
    ]


__all__ = ["ACTIONS", "Action", "ActionFailed", "offered"]
