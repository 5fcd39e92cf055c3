"""What is tried inside an odd host, each in a process of its own: ``python -m tests.hosts.inside NAME``."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import django

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def a_zone_of_its_own() -> None:
    """Gate, ORM and ledger agree about every moment around the end, whatever the zone."""
    from django.core.management import call_command

    from licenzy_django import access, usage
    from licenzy_django.models import Entitlement
    from licenzy_django.models.availability import is_available
    from licenzy_django.testing import entitled

    call_command("migrate", verbosity=0)
    entitled("user_1", "PASS", not_before=NOON - timedelta(hours=1), available_until=NOON)
    entitled("user_1", "CREDITS", units=7, not_before=NOON - timedelta(hours=1), available_until=NOON)
    for minutes in (-24 * 60, -61, -60, -59, -1, 0, 1, 4 * 60, 5 * 60, 24 * 60):
        at = NOON + timedelta(minutes=minutes)
        is_on = -60 <= minutes < 0
        assert bool(access.check("user_1", "PASS", at=at)) == is_on, minutes
        assert Entitlement.objects.filter(is_available(at)).exists() == is_on, minutes
        assert usage.remaining("user_1", at=at) == (7 if is_on else 0), minutes
        assert access.summary("user_1", at=at).has_access == is_on, minutes
    view = access.entitlements_of("user_1")[0]
    assert Entitlement.objects.get(public_id=view.id).available_until == NOON
    used = usage.consume("user_1", 2, idempotency_key="k", at=NOON - timedelta(minutes=1))
    assert used.usage_remaining == 5


def two_schemas_and_one_cache() -> None:
    """A schema for each tenant, as django-tenants does it: the connection knows the name, and sets the search path."""
    from django.core.management import call_command
    from django.db import connection

    from licenzy_django import access, usage
    from licenzy_django.access import shared_cache
    from licenzy_django.db.functions import REGISTERED
    from licenzy_django.exceptions import InsufficientUsage
    from licenzy_django.testing import entitled

    def enter(schema: str) -> None:
        connection.schema_name = schema  # type: ignore[attr-defined]
        with connection.cursor() as cursor:
            cursor.execute(f"SET search_path TO {schema}")

    for schema in ("tenant_a", "tenant_b"):
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {schema}")
        enter(schema)
        call_command("migrate", verbosity=0)
    # As if the release that brings the functions had not been migrated here yet.
    with connection.cursor() as cursor:
        for function in REGISTERED:
            cursor.execute(f"DROP FUNCTION {function.name}")

    enter("tenant_a")
    entitled("user_1", "CREDITS", units=7)
    shared_cache.rest.until = 0.0
    for _ in range(2):
        enter("tenant_a")
        assert access.check("user_1")
        enter("tenant_b")
        assert not access.check("user_1")
    enter("tenant_a")
    assert usage.consume("user_1", 1, idempotency_key="k").usage_remaining == 6
    enter("tenant_b")
    try:
        usage.consume("user_1", 1, idempotency_key="k")
    except InsufficientUsage:
        pass
    else:
        raise AssertionError("The other tenant paid.")


def a_cache_with_a_json_serializer() -> None:
    import logging

    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from licenzy_django import access, operators
    from licenzy_django.access import shared_cache
    from licenzy_django.testing import entitled

    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("licenzy_django").addHandler(handler)
    call_command("migrate", verbosity=0)
    row = entitled("user_1", "PRO", features=["export"], available_until=datetime.now(UTC) + timedelta(days=1))
    shared_cache.rest.until = 0.0
    assert access.check("user_1", feature="export")
    with CaptureQueriesContext(connection) as queries:
        assert access.check("user_1", feature="export")
    assert len(queries) == 0
    operators.revoke(row, actor=None, reason="a test")
    assert not access.check("user_1")
    assert said == []


def requests_in_a_transaction() -> None:
    """Two slow views of one subject work at the same time, and each is paid."""
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connections
    from django.test import Client

    from licenzy_django import usage
    from licenzy_django.testing import entitled

    call_command("migrate", verbosity=0)
    ada = User.objects.create_user("ada")
    entitled(ada, "CREDITS", units=12)
    statuses: list[int] = []

    def visit() -> None:
        client = Client()
        client.force_login(ada)
        statuses.append(client.get("/slow/").status_code)
        connections.close_all()

    began = time.monotonic()
    visitors = [threading.Thread(target=visit) for _ in range(3)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert sorted(statuses) == [200, 200, 403], statuses
    assert time.monotonic() - began < 3.5, "They ran one after another."
    assert usage.remaining(ada) == 2
    assert User.objects.filter(username__startswith="made by").count() == 2

    client = Client(raise_request_exception=False)
    client.force_login(ada)
    usage.adjust(ada_pack(), 10, actor=None, reason="a test")
    assert client.get("/failing/").status_code == 500
    assert usage.remaining(ada) == 12, "What failed costs nothing."
    assert not User.objects.filter(username="of a failure").exists(), "And is rolled back."


def ada_pack() -> Any:
    from licenzy_django.models import Entitlement

    return Entitlement.objects.get()


def is_told(check_id: str) -> bool:
    """Whether ``manage.py check`` stops with this error, as ``runserver`` and ``migrate`` do."""
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError

    try:
        call_command("check")
    except SystemCheckError as refused:
        return check_id in str(refused)
    return False


def doctor_says(words: str) -> bool:
    from io import StringIO

    from django.core.management import call_command

    said = StringIO()
    with suppress(SystemExit):
        call_command("licenzy_doctor", only=["settings"], stdout=said)
    return words in said.getvalue()


def an_isolation_level_in_the_settings() -> None:
    """The host is told before it starts, and by the doctor, who asks the server."""
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    assert is_told("licenzy.E062")
    level = connection.settings_dict["OPTIONS"]["isolation_level"]
    assert doctor_says(f"PostgreSQL's transactions are {'serializable' if level == 4 else 'repeatable read'}")


def an_isolation_level_of_the_database() -> None:
    """No setting shows it: only who asks the server knows."""
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    assert not is_told("licenzy.E062")
    assert not doctor_says("PostgreSQL's transactions are")
    with connection.cursor() as cursor:
        cursor.execute(
            f"ALTER DATABASE {connection.settings_dict['NAME']} SET default_transaction_isolation = 'serializable'"
        )
    connection.close()
    assert doctor_says("PostgreSQL's transactions are serializable")


def no_autocommit() -> None:
    from django.db import connection

    assert is_told("licenzy.E061")
    connection.close()


def sixteen_threads_that_spend(*, may_fail: bool = False) -> None:
    """Each spends six times one unit of the same two packs, half of them by a reservation: no 500, and all adds up."""
    from concurrent.futures import ThreadPoolExecutor

    from django.core.management import call_command
    from django.db import connections

    from licenzy_django import usage
    from licenzy_django.models import ApiKey
    from licenzy_django.testing import entitled
    from tests.backend import Backend

    call_command("migrate", verbosity=0)
    _, key = ApiKey.objects.issue("test", "shop")
    entitled("user_1", "CREDITS", units=100)
    entitled("user_1", "MORE", units=100)
    statuses: set[int] = set()

    def asked(backend: Backend, path: str, body: dict[str, Any], **headers: str) -> Any:
        for _ in range(100):
            answer = backend.post(path, body, **headers)
            statuses.add(answer.status_code)
            if answer.status_code != 503:
                return answer.json()
        raise AssertionError("It never came through.")

    def spend(number: int) -> None:
        backend = Backend(key=key)
        for turn in range(6):
            body, headers = {"subject_ref": "user_1", "units": 1}, {"idempotency_key": f"{number}-{turn}"}
            if turn % 2:
                assert asked(backend, "usage/consume", body, **headers)["ok"]
                continue
            held = asked(backend, "usage/reserve", body, **headers)
            assert asked(backend, "usage/confirm", {"reservation_id": held["reservation_id"], "units": 1})["ok"]
        connections.close_all()

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(spend, range(16)))
    assert statuses <= {200, 201} | ({503} if may_fail else set()), statuses
    assert usage.remaining("user_1") == 200 - 96
    call_command("licenzy_doctor", only=["books"])


def sixteen_threads_that_are_not_isolated_as_they_should_be() -> None:
    """A host that silences the check gets conflicts: they are 503, and the same key goes on."""
    sixteen_threads_that_spend(may_fail=True)


if __name__ == "__main__":
    django.setup()
    globals()[sys.argv[1]]()
