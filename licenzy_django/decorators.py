"""Django code asks: gates for views."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, overload
from uuid import uuid4

from asgiref.sync import iscoroutinefunction, sync_to_async

from licenzy_django import access, usage
from licenzy_django.exceptions import EntitlementRequired
from licenzy_django.subjects import subject_ref_of

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


def consumes_units(units: int, *, product_code: str = "") -> Callable[[View], View]:
    """Let a view run only for a subject with that many units left, and use them if it succeeds.

    They are set aside while the view runs; an exception or an answer of 400 and above costs nothing. Raises
    EntitlementRequired for nobody and InsufficientUsage for too few units; both are a PermissionDenied: a 403.
    """

    def consuming(view: View) -> View:
        if iscoroutinefunction(view):

            @wraps(view)
            async def async_consumer(request: Any, *args: Any, **kwargs: Any) -> Any:
                async with await sync_to_async(set_aside)(request, units, product_code) as reserved:
                    response = await view(request, *args, **kwargs)
                    reserved.use(units if response.status_code < 400 else 0)
                return response

            return async_consumer

        @wraps(view)
        def consumer(request: Any, *args: Any, **kwargs: Any) -> Any:
            with set_aside(request, units, product_code) as reserved:
                response = view(request, *args, **kwargs)
                reserved.use(units if response.status_code < 400 else 0)
            return response

        return consumer

    return consuming


def set_aside(request: Any, units: int, product_code: str) -> usage.Reserved:
    subject_ref = subject_ref_of(request)
    if subject_ref is None:
        raise EntitlementRequired(decision=access.Decision(False, "anonymous"))
    return usage.reserve(subject_ref, units, idempotency_key=uuid4().hex, product_code=product_code)
