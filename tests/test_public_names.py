"""What other projects import keeps its name and its place; docs/upgrading.md promises it."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import licenzy_django

pytestmark = [pytest.mark.any_database, pytest.mark.once]
PACKAGE = Path(licenzy_django.__file__).parent
PUBLIC = {
    "access": """AccessSummary Decision EntitlementView acheck arequire check entitlements_of has_had_trial require
        summary""",
    "billing_portal": "session_url",
    "checkout": "StartedCheckout start",
    "conf": "STRIPE_API_VERSION LicenzySettings licenzy_settings",
    "decorators": "consumes_units requires_entitlement",
    "exceptions": """AlreadySubscribed ChangeExpired ChangePending CheckoutSessionExpired ConsumptionNotFound
        DatabaseUnavailable EntitlementRequired IdempotencyKeyInUse IdempotencyKeyInvalid IdempotencyKeyMissing
        IdempotencyKeyReused InsufficientUsage InvalidApiKey InvalidRequest LicenzyError LimitReached MissingBearerToken
        ModeNotConfigured NoBillingAccount NoSubscription NotChangeable ProductNotFound
        ReservationClosed ReservationNotFound StripeFailure StripeRefused StripeUnavailable""",
    "limits": "Slot slot",
    "mixins": "EntitlementRequiredMixin",
    "models": """ApiKey CheckoutAttempt Delivery Entitlement EntitlementChange EventType Kind LedgerEntry Mode
        OutboundEndpoint OutboundEvent Product Reservation Seat Source Status StripeEvent StripeFact Subject
        SubscriptionChange""",
    "operators": "expire_attempt grant restore revoke",
    "outbound.endpoints": "create requeue rotate_secret switch_off switch_on",
    "permissions": "HasEntitlement",
    "seats": "LIMIT Member aassign amembers arelease assign members release",
    "signals": "checkout_finalized entitlement_changed outbound_recorded trial_will_end",
    "simulator": "Simulator http_client now",
    "simulator.urls": "urlpatterns",
    "subjects": "user_subject",
    "subscriptions": """Canceled Changed Invoice Preview PreviewLine Resumed acancel achange ainvoices apreview aresume
        cancel change invoices preview resume""",
    "sync": "Drift drift missed_events refresh_checkout repair",
    "templatetags.licenzy": "register",
    "testing": """StripeDouble entitled http_client in_every_order now post_to_webhook stripe_double
        stripe_double_in_memory""",
    "throttling": "LimitThrottle",
    "urls": "app_name not_found urlpatterns",
    "usage": """DayOfUse Refunded Reserved Used aconfirm aconsume adjust arefund arelease aremaining areserve by_day
        confirm consume refund release remaining reserve""",
    "views": """OUT_OF_ORDER BillingPortalView CheckoutReturnView CheckoutStateView RefusableView StartCheckoutView
        SubjectView""",
    "wording": "REASONS REFUSALS reason_in_words refusal_in_words",
}
NAMES = [(module, name) for module, names in PUBLIC.items() for name in names.split()]
FILTERS = "has_access has_feature units_left units_left_of"


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[f"{module}.{name}" for module, name in NAMES])
def test_a_public_name_is_where_it_was(module: str, name: str) -> None:
    assert hasattr(import_module(f"licenzy_django.{module}"), name)


@pytest.mark.parametrize("name", FILTERS.split())
def test_a_template_filter_has_its_name(name: str) -> None:
    assert name in import_module("licenzy_django.templatetags.licenzy").register.filters


def test_another_project_imports_all_of_them_first() -> None:
    """Each in a process that has imported nothing of ours before: none depends on another one's import."""
    program = (
        "import importlib, os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; django.setup()\n"
        "for line in sys.argv[1:]:\n"
        "    module, _, names = line.partition(':')\n"
        "    exec(f'from licenzy_django.{module} import {names}')\n"
    )
    wanted = [f"{module}:{', '.join(names.split())}" for module, names in reversed(PUBLIC.items())]

    done = subprocess.run(
        [sys.executable, "-c", program, *wanted], capture_output=True, check=False, cwd=PACKAGE.parent
    )

    assert done.returncode == 0, done.stderr.decode()


def packages() -> list[str]:
    """Every package of ours in which Python looks for names; Django asks nobody for those of commands and tags."""
    found = [path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("__init__.py")]
    return sorted({name for name in found if not {"migrations", "management", "templatetags"} & set(name.split("/"))})


@pytest.mark.parametrize("package", packages())
def test_a_package_says_what_it_gives(package: str) -> None:
    tree = ast.parse((PACKAGE / package / "__init__.py").read_text())

    assert any("__all__" in map(ast.unparse, targets(node)) for node in tree.body), f"{package} has no __all__"
    module = import_module(".".join(["licenzy_django", *([] if package == "." else package.split("/"))]))
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def targets(node: ast.stmt) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
