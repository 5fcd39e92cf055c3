"""Is this an answer of Stripe's? A gateway, a proxy or a wrong address answers too, and not in Stripe's form.

``CheckedTransport`` looks at the bytes before Stripe's SDK does; ``check_fields`` at the object that comes out of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

LONGEST_REASON = 300
SECRETS = re.compile(r"\b(?:sk|rk|pk)_(?:test|live)_\w*|whsec_[\w+/=-]*|Bearer\s+\S+", re.IGNORECASE)
# Of an answer that is not Stripe's only the status says whether to ask again. A success may have been one: asking again
# with the same key finds out.
WORTH_ANOTHER_TRY = frozenset({408, 409, 425, 429})

# What we read of an object without asking whether it is there, by Stripe's name of it.
NEEDED: Mapping[str, Mapping[str, type]] = {
    "checkout.session": {"id": str, "status": str},
    "billing_portal.session": {"url": str},
    "subscription": {"id": str, "items": dict},
    "webhook_endpoint": {"id": str, "url": str, "status": str, "enabled_events": list},
    "list": {"data": list, "has_more": bool},
}


class NotFromStripeError(Exception):
    """What answered does not speak as Stripe does. Without the answer's own words, except the first ones.

    Attributes:
        needs_operator: whether asking again is of no use.
    """

    def __init__(self, status: int | None, problem: str, words: str = "") -> None:
        self.needs_operator = (
            status is not None and not 200 <= status < 300 and status < 500 and status not in WORTH_ANOTHER_TRY
        )
        advice = " Is STRIPE_API_BASE right, and does a proxy stand between?" if self.needs_operator else ""
        answered = "The answer" if status is None else f"An answer with status {status}"
        quoted = f" It begins: {shortened(words, 120)!r}." if words else ""
        super().__init__(f"{answered} is not Stripe's: {problem}.{quoted}{advice}")


class CheckedTransport:
    """An HTTP client of the SDK's whose answers are looked at first. Everything else is the client's own."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    def request_with_retries(self, *args: Any, **kwargs: Any) -> tuple[Any, int, Any]:
        """Raises NotFromStripeError."""
        body, status, headers = self.transport.request_with_retries(*args, **kwargs)
        check_form(body, status)
        return body, status, headers


def check_form(body: bytes | str, status: int) -> None:
    """A success is an object that names its kind; a failure has an ``error`` with a type. Raises NotFromStripeError."""
    try:
        text = body.decode() if isinstance(body, bytes) else body
    except UnicodeDecodeError:
        raise NotFromStripeError(status, "it is not UTF-8") from None
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise NotFromStripeError(status, "it is not JSON", text) from None
    if not isinstance(answer, dict):
        raise NotFromStripeError(status, "it is not an object", text)
    if 200 <= status < 300:
        if not isinstance(answer.get("object"), str):
            raise NotFromStripeError(status, "it does not name its kind", text)
        return
    error = answer.get("error")
    if not isinstance(error, dict) or not isinstance(error.get("type"), str):
        raise NotFromStripeError(status, "it has no error of Stripe's", text)


def check_fields(answer: Any, needs: Sequence[str] = ()) -> None:
    """Raises NotFromStripeError for an object, or a row of a list, without what we read of it."""
    if not isinstance(answer, Mapping):
        raise NotFromStripeError(None, "a row of a list is no object")
    kind = str(answer.get("object"))
    for name, expected in {**NEEDED.get(kind, {"id": str}), **dict.fromkeys(needs, str)}.items():
        value = answer.get(name)
        if not isinstance(value, expected) or value == "":
            raise NotFromStripeError(None, f"a {shortened(kind, 40)} without a proper {name!r}")
    if kind == "checkout.session" and answer["status"] == "open" and not is_address(answer.get("url")):
        raise NotFromStripeError(None, "an open checkout.session without a proper 'url'")
    for row in answer["data"] if kind == "list" else ():
        check_fields(row)


def is_address(url: Any) -> bool:
    return isinstance(url, str) and url.startswith(("https://", "http://"))


def shortened(text: str, longest: int = LONGEST_REASON) -> str:
    """Foreign words as a log may have them: one line, without keys, cut off."""
    line = SECRETS.sub("[hidden]", " ".join(text.split()))
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
