"""The operations that change a subscription."""

from __future__ import annotations

from licenzy_django import exceptions as ours
from licenzy_django.api import subscriptions
from licenzy_django.api.schema import bodies
from licenzy_django.api.schema.answers import STRIPE, ErrorType
from licenzy_django.api.schema.operation import Operation

ENDING: tuple[ErrorType, ...] = (ours.NoSubscription, ours.ProductNotFound, ours.NotChangeable)
CHANGING: tuple[ErrorType, ...] = (*ENDING, ours.AlreadySubscribed, ours.ChangePending)

CHANGES = [
    Operation(
        path="/subscription/preview",
        view=subscriptions.PreviewView,
        name="previewChange",
        description="As Stripe computes it. It changes nothing. change_token, sent with the change within 15 minutes, "
        "has the prorations computed for the moment of the preview.",
        summary="What a change of a subscription would cost",
        tag="Changing",
        asked=subscriptions.PreviewRequest,
        asked_example=bodies.CHANGE_BODY,
        answer=subscriptions.PreviewResponse,
        shown=bodies.PREVIEW_RESPONSE,
        errors=(*CHANGING, *STRIPE),
    ),
    Operation(
        path="/subscription/change",
        view=subscriptions.ChangeView,
        name="changeSubscription",
        description="Without when, what is longer or dearer is now, and everything else at the end of the period. "
        "requires_payment: everything is as it was until the customer has paid at payment_url.",
        summary="Change product or quantity, or add add-ons",
        tag="Changing",
        asked=subscriptions.ChangeRequest,
        asked_example=bodies.CHANGE_REQUEST,
        answer=subscriptions.ChangeResponse,
        shown=bodies.CHANGE_RESPONSE,
        is_keyed=True,
        errors=(*CHANGING, ours.ChangeExpired, ours.IdempotencyKeyInUse, *STRIPE),
    ),
    Operation(
        path="/subscription/cancel",
        view=subscriptions.CancelView,
        name="cancelSubscription",
        description="At the end of the period, unless when says now. Of an add-on only its item ends. A change that is "
        "scheduled is taken back. Nothing is refunded.",
        summary="End a subscription",
        tag="Changing",
        asked=subscriptions.CancelRequest,
        asked_example=bodies.CANCEL_REQUEST,
        answer=subscriptions.CancelResponse,
        shown=bodies.CANCEL_RESPONSE,
        is_keyed=True,
        errors=(*ENDING, ours.ChangeExpired, ours.IdempotencyKeyInUse, *STRIPE),
    ),
    Operation(
        path="/subscription/resume",
        view=subscriptions.ResumeView,
        name="resumeSubscription",
        description="Also where there is nothing to take back. status is the subscription's.",
        summary="Take a cancellation or a scheduled change back",
        tag="Changing",
        asked=subscriptions.ResumeRequest,
        asked_example=bodies.RESUME_REQUEST,
        answer=subscriptions.ResumeResponse,
        shown=bodies.RESUME_RESPONSE,
        is_keyed=True,
        errors=(*ENDING, ours.ChangeExpired, ours.IdempotencyKeyInUse, *STRIPE),
    ),
]
