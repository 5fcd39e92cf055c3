"""The host's settings: one ``LICENZY`` dict, typed, read afresh on every call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from django.http import HttpRequest

    from licenzy_django.models import CheckoutAttempt

# The version our translator was written for, and the one `licenzy_webhook_endpoint` registers. Kept in one place.
STRIPE_API_VERSION = "2026-10-28.endive"
TRIALS = ("once", "once_per_product", "always")


@dataclass(frozen=True, kw_only=True, slots=True)
class LicenzySettings:
    """Every key that ``settings.LICENZY`` may have. Secrets stay out of ``repr``."""

    TEST_SECRET_KEY: str = field(default="", repr=False)
    TEST_WEBHOOK_SECRETS: Sequence[str] = field(default=(), repr=False)
    LIVE_SECRET_KEY: str = field(default="", repr=False)
    LIVE_WEBHOOK_SECRETS: Sequence[str] = field(default=(), repr=False)

    ENCRYPTION_KEYS: Sequence[str] = field(default=(), repr=False)
    """Fernet keys for the signing secrets of outbound endpoints: the first encrypts, all decrypt. Empty: in clear."""

    MODE: str = "test"
    """The mode of in-process checks: decorators, template tags, ``access.check`` without ``mode=``."""

    SUBJECT: str | Callable[[HttpRequest], str | None] = "licenzy_django.subjects.user_subject"
    """From request to ``subject_ref``; ``None`` means nobody."""

    SUCCESS_URL: str = ""
    CANCEL_URL: str = ""
    ALLOWED_REDIRECT_HOSTS: Sequence[str] = ()
    """Hosts (with port, if not the default one) that a caller's success, cancel or return URL may name."""

    CHECKOUT: Mapping[str, Any] = field(default_factory=dict)
    """What Stripe's payment page can do, in Stripe's own parameter names; a product's ``checkout`` goes before it."""

    CHECKOUT_PARAMS: str | Callable[[CheckoutAttempt, HttpRequest | None], Mapping[str, Any] | None] = ""
    """From an attempt that is about to be made, and the visitor's request or None, to more of the same."""

    STRIPE_API_BASE: str = ""
    STRIPE_HTTP_CLIENT: str = ""
    """Dotted path to a callable without arguments that returns a ``stripe.HTTPClient`` to use instead of requests."""

    RENEWAL_LEEWAY_HOURS: int = 24
    """How long a subscription whose period has ended stays on while no event has come."""

    TRIALS: str = "once"
    """How many trials a subject gets: ``once``, ``once_per_product`` or ``always``."""

    RATES: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """For each unit what an action costs: ``{"credits": {"image": 5, "video": 40}}``."""

    USAGE_THRESHOLDS: Sequence[int] = (80, 100)
    """At how many per cent of the units that were granted their use is announced. Empty: never."""

    OUTBOUND_ALLOW_HTTP: bool = False
    """Whether outbound endpoints may be ``http://``. For development."""

    OUTBOUND_ALLOW_PRIVATE: bool = False
    """Whether outbound endpoints may be inside the network, this machine included. Whoever may configure an endpoint
    can then reach what stands there."""

    CACHE: str = ""
    """Alias of the Django cache in which access checks remember; shared by all processes. Empty means: none."""

    CACHE_SECONDS: int = 60
    """How long an old answer may stand where a process died before it could tell the cache of a change."""

    TASK_BACKEND: str = "default"
    TASK_QUEUE: str = "default"
    """Which backend and queue of Django's ``TASKS`` send outbound events, where that backend has workers."""

    CLOCK: str = "django.utils.timezone.now"
    """Dotted path to what tells the time, for time travel in a demo or a staging system."""

    @property
    def renewal_leeway(self) -> timedelta:
        return timedelta(hours=self.RENEWAL_LEEWAY_HOURS)

    def secret_key(self, mode: str) -> str:
        return self.LIVE_SECRET_KEY if mode == "live" else self.TEST_SECRET_KEY

    def webhook_secrets(self, mode: str) -> Sequence[str]:
        """Those of a mode. A text in place of the list is one secret: its letters must never count as secrets."""
        given = self.LIVE_WEBHOOK_SECRETS if mode == "live" else self.TEST_WEBHOOK_SECRETS
        return [secret for secret in as_list(given) if secret]


def as_list(given: Sequence[str] | None) -> Sequence[str]:
    return [given] if isinstance(given, str) else given or ()


SETTING_NAMES = frozenset(known.name for known in fields(LicenzySettings))


class Given(dict[str, Any]):
    """The dict as it was read. Its ``repr`` shows nothing: debug pages and crash reports show every local variable."""

    def __repr__(self) -> str:
        return "LICENZY"


last_read: tuple[Given, LicenzySettings] = (Given(), LicenzySettings())


def licenzy_settings() -> LicenzySettings:
    """Read on every call, so that ``override_settings`` simply works; built anew only where something differs.

    Raises ImproperlyConfigured for a key that does not exist; the system check ``licenzy.E001`` says so earlier.
    """
    global last_read
    given = Given(getattr(settings, "LICENZY", {}))
    known, built = last_read
    if given == known:
        return built
    try:
        built = LicenzySettings(**given)
    except TypeError:
        unknown = ", ".join(sorted(set(given) - SETTING_NAMES))
        raise ImproperlyConfigured(f"LICENZY has unknown keys: {unknown}") from None
    last_read = (given, built)
    return built
