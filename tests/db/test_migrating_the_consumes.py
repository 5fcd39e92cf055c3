"""A consume over several packs that was written before can be given back as one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from licenzy_django import usage
from licenzy_django.models import LedgerEntry
from tests.shelf import Shelf

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = [("licenzy", "0021_actions_of_a_consume")]


@pytest.fixture
def earlier() -> Iterator[None]:
    """To bring the database back, whatever the test does."""
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes("licenzy")
    yield
    MigrationExecutor(connection).migrate(newest)


def test_the_rows_of_each_consume_find_their_first(shelf: Shelf, earlier: None) -> None:
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes("licenzy")
    for number in range(3):
        shelf.give(10 + number, until=shelf.double.now + timedelta(days=number + 1))
    usage.consume("user_1", 15, idempotency_key="a")
    usage.consume("user_1", 1, idempotency_key="b")
    shelf.double.advance(seconds=1)
    usage.consume("user_1", 12, idempotency_key="c")
    linked = list(LedgerEntry.objects.order_by("pk").values_list("pk", "part_of"))
    assert sum(first is not None for _, first in linked) == 2

    MigrationExecutor(connection).migrate(BEFORE)
    MigrationExecutor(connection).migrate(newest)

    assert list(LedgerEntry.objects.order_by("pk").values_list("pk", "part_of")) == linked
    assert usage.refund("a", reason="it failed", idempotency_key="r").refunded == 15
    call_command("licenzy_doctor", only=["books"])
