"""What has to be so before the first customer: settings, tables, products, keys."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core import checks
from django.db import connections, transaction
from django.db.migrations.executor import MigrationExecutor

from licenzy_django import encryption
from licenzy_django.checks.settings import check_setting_names, check_setting_types
from licenzy_django.conf import as_list, licenzy_settings
from licenzy_django.doctor.finding import Finding
from licenzy_django.ledger import packs
from licenzy_django.models import ApiKey, Mode, OutboundEndpoint, Product
from licenzy_django.simulator.checks import OWN_LIVE_KEY

SIMULATOR = "licenzy_django.simulator"


def tables_are_migrated() -> Iterator[Finding]:
    executor = MigrationExecutor(connections[packs.writer()])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    missing = [f"{step.app_label}.{step.name}" for step, _ in plan]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        yield Finding(f"Migrations are not applied: {', '.join(missing[:3])}{more}.", "manage.py migrate")


def transactions_are_read_committed() -> Iterator[Finding]:
    """The server, a role or a connection pool may ask for more, which no setting of Django's shows."""
    connection = connections[packs.writer()]
    if connection.vendor != "postgresql":
        return
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        [level] = cursor.fetchone()
    if level not in ("read committed", "read uncommitted"):
        yield Finding(
            f"PostgreSQL's transactions are {level}: under load requests fail with 503.",
            "Look at default_transaction_isolation of the server, the database, the role and the pool, and at OPTIONS.",
        )


def secrets_are_encrypted() -> Iterator[Finding]:
    if not as_list(licenzy_settings().ENCRYPTION_KEYS):
        return
    in_clear = OutboundEndpoint.objects.exclude(secret__startswith=encryption.MARK)
    if count := in_clear.count():
        yield Finding(f"{count} signing secrets are in clear.", "manage.py licenzy_encrypt")


def settings_are_readable() -> Iterator[Finding]:
    for message in [*check_setting_names(), *check_setting_types()]:
        yield Finding(f"{message.msg} ({message.id})", message.hint or "")


def checks_are_clean() -> Iterator[Finding]:
    """Our system checks, those for deployment included. The silenced ones stay silent."""
    for message in checks.run_checks(tags=["licenzy"], include_deployment_checks=True):
        if not message.is_silenced():
            is_wrong = message.level >= checks.WARNING
            yield Finding(f"{message.msg} ({message.id})", message.hint or "", is_wrong)


def site_is_closed() -> Iterator[Finding]:
    if settings.DEBUG:
        yield Finding("DEBUG is on: errors show settings and code to visitors.", "DEBUG = False")
    if SIMULATOR in settings.INSTALLED_APPS:
        yield Finding(
            "The Stripe simulator is installed: anybody can pay with money that does not exist.",
            f"Remove {SIMULATOR!r} from INSTALLED_APPS, and STRIPE_HTTP_CLIENT and CLOCK from LICENZY.",
        )


def a_mode_can_sell() -> Iterator[Finding]:
    known = licenzy_settings()
    if not known.TEST_SECRET_KEY and not known.LIVE_SECRET_KEY:
        yield Finding(
            "There is no secret key of Stripe's: nothing can be sold.",
            "LICENZY['TEST_SECRET_KEY'], later LIVE_SECRET_KEY: Developers, API keys in Stripe's dashboard.",
        )
    elif not known.LIVE_SECRET_KEY or known.LIVE_SECRET_KEY == OWN_LIVE_KEY:
        yield Finding("Live mode is not configured: no real money can come in.", "LICENZY['LIVE_SECRET_KEY']", False)
    elif known.MODE != Mode.LIVE:
        yield Finding(
            "LICENZY['MODE'] is 'test': decorators and templates let in those who paid with test cards.",
            "LICENZY['MODE'] = 'live'",
        )


def each_mode_has_products_and_keys() -> Iterator[Finding]:
    for mode in configured_modes():
        if not Product.objects.filter(mode=mode, is_active=True).exists():
            yield Finding(f"There is nothing to buy in {mode} mode.", "manage.py licenzy_catalog load FILE")
        if not ApiKey.objects.filter(mode=mode, revoked_at=None).exists():
            yield Finding(
                f"There is no API key for {mode} mode: other backends cannot ask.",
                f"manage.py licenzy_api_key create --mode {mode} --name NAME, if there are any.",
                is_wrong=False,
            )


def configured_modes() -> list[str]:
    return [mode for mode in Mode.values if licenzy_settings().secret_key(mode)]
