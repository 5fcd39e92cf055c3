"""What the database has to be able to do."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, connections

from licenzy_django.checks import database


class ReplicaRouter:
    """Reads somewhere else."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica" if model._meta.app_label == "licenzy" else "default"


@pytest.mark.parametrize("vendor", ["mysql", "oracle"])
def test_e017_a_database_that_is_not_supported(monkeypatch: pytest.MonkeyPatch, vendor: str) -> None:
    assert database.check_database_is_supported() == []
    monkeypatch.setattr(connection, "vendor", vendor)
    assert [message.id for message in database.check_database_is_supported()] == ["licenzy.E017"]


def test_e018_a_router_that_leads_away(settings: Any) -> None:
    assert database.check_database_is_the_default_one() == []
    settings.DATABASE_ROUTERS = [ReplicaRouter()]
    [message] = database.check_database_is_the_default_one()
    assert (message.id, "'replica'" in message.msg) == ("licenzy.E018", True)


@pytest.mark.parametrize("options", [{}, {"transaction_mode": None}, {"transaction_mode": "DEFERRED"}])
def test_w016_sqlite_that_does_not_wait_its_turn(monkeypatch: pytest.MonkeyPatch, options: Any) -> None:
    assert database.check_sqlite_waits_for_its_turn() == []
    monkeypatch.setattr(connection, "vendor", "sqlite")
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)
    [message] = database.check_sqlite_waits_for_its_turn()
    assert (message.id, "WAL" in str(message.hint)) == ("licenzy.W016", True)


def test_postgresql_has_no_transaction_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "vendor", "postgresql")
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {})
    assert database.check_sqlite_waits_for_its_turn() == []


def test_e061_autocommit_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "AUTOCOMMIT", False)
    assert [message.id for message in database.check_autocommit()] == ["licenzy.E061"]
    monkeypatch.setitem(connection.settings_dict, "AUTOCOMMIT", True)
    assert database.check_autocommit() == []


@pytest.mark.parametrize(
    ("level", "expected"),
    [(None, []), (1, []), (2, []), (3, ["licenzy.E062"]), (4, ["licenzy.E062"]), ("nonsense", ["licenzy.E062"])],
)
def test_e062_an_isolation_level_that_fails_under_load(
    level: Any, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections["default"], "vendor", "postgresql")
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"isolation_level": level})
    assert [message.id for message in database.check_isolation_level()] == expected
