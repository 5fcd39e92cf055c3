"""Django code asks: gates for views."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, overload

from asgiref.sync import iscoroutinefunction

from licenzy_django import access

View = Callable[..., Any]


@overload
def requires_entitlement(view: View, /) -> View: ...
@overload
def requires_entitlement(*product_codes: str, feature: str = "") -> Callable[[View], View]: ...
def requires_entitlement(*given: Any, feature: str = "") -> Any:
    """Let a view run only for a subject with access.

    ``@requires_entitlement`` asks for any available entitlement, ``@requires_entitlement("PRO_MONTHLY")`` for one of
    the named products, ``@requires_entitlement(feature="export")`` for whatever product gives the feature.

    The view raises EntitlementRequired, which is a PermissionDenied: Django answers 403 with the host's template.
    """
    if len(given) == 1 and callable(given[0]):
        return gated(given[0], (), "")
    return lambda view: gated(view, given, feature)


def gated(view: View, product_codes: tuple[str, ...], feature: str) -> View:
    if iscoroutinefunction(view):

        @wraps(view)
        async def async_gate(request: Any, *args: Any, **kwargs: Any) -> Any:
            await access.arequire(request, *product_codes, feature=feature)
            return await view(request, *args, **kwargs)

        return async_gate

    @wraps(view)
    def gate(request: Any, *args: Any, **kwargs: Any) -> Any:
        access.require(request, *product_codes, feature=feature)
        return view(request, *args, **kwargs)

    return gate
