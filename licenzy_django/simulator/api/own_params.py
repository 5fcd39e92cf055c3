"""Parameters of what Stripe's CLI calls and no SDK has, in the SDK's form."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class EventRetryParams(TypedDict):
    """``stripe events resend``."""

    account: NotRequired[str]
    expand: NotRequired[list[str]]
    for_stripecli: NotRequired[bool]
    webhook_endpoint: NotRequired[str]


OWN: dict[str, type] = {"events.retry": EventRetryParams}
