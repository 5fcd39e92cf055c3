"""A client generated from the running demo's schema buys, asks and spends: ``make test-client``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.shops import Shop, open_shop
from tests.servers import eventually

pytestmark = pytest.mark.client

NAME = "licenzy_client"
# Without its formatter, which the client does not need.
CONFIG = "post_hooks: []\n"
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("shop"), webhook_delay_seconds=0) as shop:
        yield shop


@pytest.fixture(scope="module")
def generated(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The client's package. A warning of the generator, of a part that it leaves out, is a failure."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "config.yaml").write_text(CONFIG)
    command = [str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--url", f"{shop.url}/v1/schema"]
    command += ["--output-path", str(folder / NAME), "--config", str(folder / "config.yaml"), "--meta", "none"]
    done = subprocess.run([*command, "--fail-on-warning"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield import_module(NAME)


@pytest.fixture
def call(shop: Shop, generated: Any) -> Iterator[Call]:
    """``call("usage.consume_usage", "ConsumeRequest", …)``: the answer as the client parses it."""
    models = import_module(f"{NAME}.models")
    with generated.AuthenticatedClient(
        base_url=f"{shop.url}/v1", token=shop.api_key, raise_on_unexpected_status=True
    ) as client:

        def ask(operation: str, body: str, *, key: str = "", **fields: Any) -> Any:
            more = {"idempotency_key": key} if key else {}
            module = import_module(f"{NAME}.api.{operation}")
            return module.sync(client=client, body=getattr(models, body)(**fields), **more)

        yield ask


def is_an_error(answer: Any, code: str) -> bool:
    """An instance of the one class that all errors share."""
    return type(answer) is import_module(f"{NAME}.models").Error and answer.error == code


def test_a_purchase_from_the_first_question_to_the_last_unit(shop: Shop, call: Call) -> None:
    def allowed() -> bool:
        return bool(call("access.check_access", "AccessCheckRequest", subject_ref="user_1").allowed)

    def consume(units: int, key: str) -> Any:
        return call("usage.consume_usage", "ConsumeRequest", key=key, subject_ref="user_1", units=units)

    assert not allowed()
    assert is_an_error(consume(1, "too-early"), "insufficient_usage")

    order = {"key": "order-1", "subject_ref": "user_1", "product_code": "CREDITS_1000"}
    started = call("buying.create_checkout_session", "CheckoutSessionRequest", **order)
    assert (started.status, started.mode) == ("created", "test")
    assert call("buying.create_checkout_session", "CheckoutSessionRequest", **order) == started

    customer = shop.visitor()
    customer.open(started.checkout_url)
    customer.press("by card")
    eventually(allowed)

    used = consume(400, "report-1")
    assert (used.ok, used.consumed, used.usage_remaining) == (True, 400, 600)
    assert consume(400, "report-1") == used

    refused = consume(601, "report-2")
    assert is_an_error(refused, "insufficient_usage")
    assert (refused.usage_remaining, bool(refused.message)) == (600, True)
    assert is_an_error(consume(1, "report-1"), "idempotency_key_reused")


def test_what_the_server_refuses_is_one_class_at_every_operation(generated: Any, shop: Shop, call: Call) -> None:
    models = import_module(f"{NAME}.models")
    unknown = call(
        "buying.create_checkout_session", "CheckoutSessionRequest", key="k", subject_ref="u", product_code="NO"
    )
    assert is_an_error(unknown, "product_not_found")
    wrong = call("usage.consume_usage", "ConsumeRequest", key="k", subject_ref="u", units=0)
    assert is_an_error(wrong, "invalid_request")
    assert list(wrong.fields.to_dict()) == ["units"]
    never_bought = call("buying.create_billing_portal_session", "BillingPortalRequest", subject_ref="nobody")
    assert is_an_error(never_bought, "no_billing_account")
    with generated.AuthenticatedClient(base_url=f"{shop.url}/v1", token="lz_test_wrong") as stranger:
        body = models.AccessCheckRequest(subject_ref="user_1")
        answer = import_module(f"{NAME}.api.access.check_access").sync(client=stranger, body=body)
    assert is_an_error(answer, "invalid_api_key")
