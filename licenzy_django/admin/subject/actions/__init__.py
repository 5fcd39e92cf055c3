"""What an operator can do about a subject."""

from licenzy_django.admin.subject.actions.base import Action, ActionFailed
from licenzy_django.admin.subject.actions.deliveries import Requeue
from licenzy_django.admin.subject.actions.entitlements import Adjust, Grant, Restore, Revoke
from licenzy_django.admin.subject.actions.stripe import Expire, Replay, Sync

ACTIONS: dict[str, Action] = {
    action.slug: action for action in (Grant(), Revoke(), Restore(), Adjust(), Expire(), Replay(), Sync(), Requeue())
}

__all__ = ["ACTIONS", "Action", "ActionFailed"]
