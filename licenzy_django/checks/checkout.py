"""What Stripe's payment page is asked to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register

from licenzy_django.checkout_options import problems_of
from licenzy_django.checks.settings import are_readable
from licenzy_django.conf import licenzy_settings


@register("licenzy", Tags.compatibility)
def check_checkout_options(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """One error for each parameter, with what to do instead. No checkout is started while there is one."""
    if not are_readable():
        return []
    return [
        Error(
            f"LICENZY['CHECKOUT'] has {problem.path}, which cannot be used as it is.",
            hint=str(problem.sentence),
            id="licenzy.E019",
        )
        for problem in problems_of(licenzy_settings().CHECKOUT or {})
    ]
