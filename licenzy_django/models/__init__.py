"""What the app knows: the models, each with its constraints in the database."""

from licenzy_django.models.base import Mode
from licenzy_django.models.catalog import Product
from licenzy_django.models.changes import SubscriptionChange
from licenzy_django.models.checkout import CheckoutAttempt
from licenzy_django.models.entitlement import Entitlement, EntitlementChange, Source, Status
from licenzy_django.models.keys import ApiKey
from licenzy_django.models.kinds import Kind
from licenzy_django.models.outbound import Delivery, EventType, OutboundEndpoint, OutboundEvent, Wakeup
from licenzy_django.models.pack import Pack
from licenzy_django.models.prices import ProductPrice, UnknownPrice
from licenzy_django.models.seat import Seat
from licenzy_django.models.stripe import StripeEvent, StripeFact
from licenzy_django.models.subject import Subject
from licenzy_django.models.usage import LedgerEntry, Reservation

__all__ = [
    "ApiKey",
    "CheckoutAttempt",
    "Delivery",
    "Entitlement",
    "EntitlementChange",
    "EventType",
    "Kind",
    "LedgerEntry",
    "Mode",
    "OutboundEndpoint",
    "OutboundEvent",
    "Pack",
    "Product",
    "ProductPrice",
    "Reservation",
    "Seat",
    "Source",
    "Status",
    "StripeEvent",
    "StripeFact",
    "Subject",
    "SubscriptionChange",
    "UnknownPrice",
    "Wakeup",
]
