"""Each operation of ``/v1`` in the order of the contract: what it takes, what it answers, and with which errors."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from licenzy_django import exceptions as ours
from licenzy_django.api import serializers as bodies_of
from licenzy_django.api import usage, views
from licenzy_django.api.schema import bodies
from licenzy_django.api.schema.answers import (
    STRIPE,
)
from licenzy_django.api.schema.changes import CHANGES
from licenzy_django.api.schema.operation import Operation, page_of, subject_in_path
from licenzy_django.api.schema.seats import SEATS
from licenzy_django.api.serializers import EntitlementResponse

SUBJECT_IN_PATH = subject_in_path("a user", "user_123")
PAGE = page_of("The id of the last entitlement of the page before.", 40)


class EntitlementsPage(serializers.Serializer[Any]):
    subject_ref = serializers.CharField()
    entitlements = EntitlementResponse(many=True)
    has_more = serializers.BooleanField()


OPERATIONS = [
    Operation(
        path="/checkout/session",
        view=views.CheckoutSessionView,
        name="createCheckoutSession",
        description="It grants nothing: access begins when Stripe has confirmed the payment. A retry with the same key "
        "gives the same attempt and the same URL, and never makes a second session.",
        summary="Start a payment",
        tag="Buying",
        asked=bodies_of.CheckoutSessionRequest,
        asked_example=bodies.CHECKOUT_REQUEST,
        answer=bodies_of.CheckoutSessionResponse,
        shown=bodies.CHECKOUT_RESPONSE,
        success=201,
        is_keyed=True,
        errors=(
            ours.ProductNotFound,
            ours.AlreadySubscribed,
            ours.IdempotencyKeyInUse,
            ours.CheckoutSessionExpired,
            *STRIPE,
        ),
    ),
    Operation(
        path="/billing-portal/session",
        view=views.BillingPortalSessionView,
        name="createBillingPortalSession",
        description="The link is short-lived and for this subject alone. flow opens one page of it, which leads back "
        "when it is done: payment_method, cancel (with product_code), or change (with product_code, to_product_code "
        "and quantity; without the last two the customer chooses).",
        summary="A link to Stripe's own page to change card or plan, or to cancel",
        tag="Buying",
        asked=bodies_of.BillingPortalRequest,
        asked_example=bodies.SUBJECT,
        answer=bodies_of.BillingPortalResponse,
        shown=bodies.PORTAL_RESPONSE,
        success=201,
        errors=(
            ours.NoBillingAccount,
            ours.ProductNotFound,
            ours.NoSubscription,
            ours.AlreadySubscribed,
            ours.ChangePending,
            ours.NotChangeable,
            *STRIPE,
        ),
    ),
    *CHANGES,
    Operation(
        path="/access/check",
        view=views.AccessCheckView,
        name="checkAccess",
        description="product_code or feature narrow the question. An unknown subject is simply not allowed. "
        "A usage_pack counts while units remain. unit and units (by default one) ask whether so many are left: with "
        "product_code, of this product. limit and in_use ask whether there may be required (by default one) more: the "
        "host counts what is in use. Several questions must all hold, and nothing is consumed.",
        summary="May this subject?",
        tag="Access",
        asked=bodies_of.AccessCheckRequest,
        asked_example=bodies.CHECK_REQUEST,
        answer=bodies_of.AccessCheckResponse,
        shown=bodies.CHECK_RESPONSE,
        errors=(ours.UnitRequired,),
    ),
    Operation(
        path="/customer/access/{subject_ref}",
        method="get",
        view=views.CustomerAccessView,
        name="getCustomerAccess",
        description="status is the best of what the subject has. units says what is left of each unit, over all packs "
        "and allowances; usage_remaining is the same number where only one unit is or was sold, else null.",
        summary="All that a product usually wants to know of a subject",
        tag="Access",
        answer=bodies_of.CustomerAccessResponse,
        shown=bodies.ACCESS_RESPONSE,
        parameters=(SUBJECT_IN_PATH,),
    ),
    Operation(
        path="/entitlements/{subject_ref}",
        method="get",
        view=views.EntitlementsView,
        name="listEntitlements",
        description="starting_after and limit turn the pages while has_more is true.",
        summary="A subject's entitlements, newest first",
        tag="Access",
        answer=EntitlementsPage,
        shown=bodies.ENTITLEMENTS_RESPONSE,
        parameters=(SUBJECT_IN_PATH, *PAGE),
    ),
    Operation(
        path="/usage/consume",
        view=usage.ConsumeView,
        name="consumeUsage",
        description="Over all available packs of one unit, or those of one product: the one that expires first, then "
        "the older. unit may be left out where only one is sold. Either units or actions: what actions cost is the "
        "host's setting. A refusal is not remembered under the key.",
        summary="Use units: all or nothing",
        tag="Usage",
        asked=usage.ConsumeRequest,
        asked_example=bodies.CONSUME_REQUEST,
        answer=usage.UsedResponse,
        shown=bodies.CONSUME_RESPONSE,
        is_keyed=True,
        errors=(ours.UnitRequired, ours.ProductNotFound, ours.InsufficientUsage),
    ),
    Operation(
        path="/usage/reserve",
        view=usage.ReserveView,
        name="reserveUsage",
        description="What is not confirmed in ttl_seconds (900 by default) comes back by time alone.",
        summary="Set units aside for work whose cost is known only afterwards",
        tag="Usage",
        asked=usage.ReserveRequest,
        asked_example=bodies.RESERVE_REQUEST,
        answer=usage.ReservedResponse,
        shown=bodies.RESERVE_RESPONSE,
        success=201,
        is_keyed=True,
        errors=(ours.UnitRequired, ours.ProductNotFound, ours.InsufficientUsage, ours.ReservationClosed),
    ),
    Operation(
        path="/usage/confirm",
        view=usage.ConfirmView,
        name="confirmUsage",
        description="The same confirm again gives the same answer; another one is reservation_closed.",
        summary="Use what a reservation was for; the rest goes back",
        tag="Usage",
        asked=usage.ConfirmRequest,
        asked_example=bodies.CONFIRM_REQUEST,
        answer=usage.UsedResponse,
        shown=bodies.CONFIRM_RESPONSE,
        errors=(ours.ReservationNotFound, ours.ReservationClosed),
    ),
    Operation(
        path="/usage/release",
        view=usage.ReleaseView,
        name="releaseUsage",
        description="The same release again gives the same answer; one after a confirm is reservation_closed.",
        summary="Give all of a reservation back",
        tag="Usage",
        asked=usage.ReleaseRequest,
        asked_example=bodies.RESERVATION,
        answer=usage.ReleasedResponse,
        shown=bodies.RELEASE_RESPONSE,
        errors=(ours.ReservationNotFound, ours.ReservationClosed),
    ),
    Operation(
        path="/usage/refund",
        view=usage.RefundView,
        name="refundUsage",
        description="consumption_key is the Idempotency-Key of a consume, or of a reserve that was confirmed. Without "
        "units: all that was not given back yet. refunded is what can be used again now: 0 if nothing of it still "
        "counts. More than is left is invalid_request; once nothing is left, the answer is 0.",
        summary="Give units of a consume back to the packs that they came from",
        tag="Usage",
        asked=usage.RefundRequest,
        asked_example=bodies.REFUND_REQUEST,
        answer=usage.RefundedResponse,
        shown=bodies.REFUND_RESPONSE,
        is_keyed=True,
        errors=(ours.ConsumptionNotFound,),
    ),
    *SEATS,
]
