"""What an operator can do about a subject."""

from licenzy_django.admin.acts.base import Action, ActionFailed
from licenzy_django.admin.acts.deliveries import Requeue
from licenzy_django.admin.acts.entitlements import Adjust, Grant, Restore, Revoke
from licenzy_django.admin.acts.stripe import Expire, Replay, Sync

ACTIONS: dict[str, Action] = {
    action.slug: action for action in (Grant(), Revoke(), Restore(), Adjust(), Expire(), Replay(), Sync(), Requeue())
}

__all__ = ["ACTIONS", "Action", "ActionFailed"]
