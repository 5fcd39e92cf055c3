"""Where the system check would refuse the simulator, it serves nothing, whatever started the server."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from licenzy_django.simulator import permission, worker
from licenzy_django.simulator.urls import urlpatterns

pytestmark = pytest.mark.django_db
PATHS = {
    "/simulator/": "get", "/simulator/act/": "post", "/simulator/checkout/cs_test_1": "get",
    "/simulator/portal/bps_1": "get", "/simulator/invoice/in_1": "get",
    "/simulator/invoice/in_1/pdf": "get", "/simulator/simulator.css": "get", "/simulator/v1/customers": "get",
}  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_said_yet() -> None:
    permission._said.clear()


def forbid(settings: Any) -> None:
    settings.LICENZY_SIMULATOR = settings.LICENZY_SIMULATOR | {"ALLOW_WITHOUT_DEBUG": False}


@pytest.mark.parametrize("path", PATHS)
def test_without_debug_and_without_permission_every_address_is_404(
    client: Client, settings: Any, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    forbid(settings)
    with caplog.at_level(logging.ERROR, logger="licenzy_django.simulator"):
        answer = getattr(client, PATHS[path])(path, headers={"Authorization": "Bearer sk_test_simulator"})
        getattr(client, PATHS[path])(path)
    assert (answer.status_code, answer.content) == (404, b"")
    said = [record.getMessage() for record in caplog.records if record.name == "licenzy_django.simulator"]
    assert len(said) == 1
    assert said[0].startswith(
        "The Stripe simulator serves nothing here: The Stripe simulator is installed with DEBUG=False"
    )
    assert "LICENZY_SIMULATOR['ALLOW_WITHOUT_DEBUG'] = True lets it be." in said[0]


def test_every_address_of_the_simulator_is_guarded() -> None:
    assert len(PATHS) == len(urlpatterns)


def test_beside_a_live_key_it_serves_nothing_even_in_debug(client: Client, settings: Any) -> None:
    settings.DEBUG = True
    settings.LICENZY = settings.LICENZY | {"LIVE_SECRET_KEY": "sk_live_51abc"}
    assert client.get("/simulator/").status_code == 404


def test_where_it_is_permitted_it_serves(client: Client) -> None:
    assert client.get("/simulator/").status_code == 200


def test_where_it_is_not_permitted_nothing_is_posted(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(mail, "outbox")
    monkeypatch.setattr(worker, "_running", {"pid": None})
    settings.LICENZY_SIMULATOR = settings.LICENZY_SIMULATOR | {"WEBHOOK_DELAY_SECONDS": 0.0}
    forbid(settings)
    worker.ensure_running()
    assert worker._running == {"pid": None}
