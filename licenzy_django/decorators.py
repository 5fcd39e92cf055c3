"""Django code asks: gates for views."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from inspect import isawaitable
from typing import Any, overload
from uuid import uuid4

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.utils.decorators import method_decorator

from licenzy_django import access, usage
from licenzy_django.access.private_answers import private
from licenzy_django.access.refusals import UpgradeUrl, refused, refused_with
from licenzy_django.exceptions import EntitlementRequired, InsufficientUsage
from licenzy_django.identity import subject_ref_of

View = Callable[..., Any]


@overload
def requires_entitlement(view: View, /) -> View: ...
@overload
def requires_entitlement(
    *product_codes: str, feature: str = "", upgrade_url: UpgradeUrl = ""
) -> Callable[[View], View]: ...
def requires_entitlement(*given: Any, feature: str = "", upgrade_url: UpgradeUrl = "") -> Any:
    """Let a view run only for a subject with access: a function, sync or async, a class, or DRF's.

    ``@requires_entitlement`` asks for any available entitlement, ``@requires_entitlement("PRO_MONTHLY")`` for one of
    the named products, ``@requires_entitlement(feature="export")`` for whatever product gives the feature.

    Whoever is not logged in is nobody and refused like anybody else; put ``@login_required`` above it to ask for a
    login first.

    Args:
        upgrade_url: where a refused person is sent, with ``?next=``: a URL name, a path, or a callable that is given
            the request. Without one the view raises EntitlementRequired, which is a PermissionDenied: Django answers
            403 with the host's template. An API client gets the JSON error form with 403 either way.
    """
    if len(given) == 1 and callable(given[0]):
        return guarded_view(given[0], (), feature, upgrade_url)
    return lambda view: guarded_view(view, given, feature, upgrade_url)


def guarded_view(view: Any, product_codes: tuple[str, ...], feature: str, upgrade_url: UpgradeUrl) -> Any:
    if isinstance(view, type):
        return guarded_class(view, product_codes, feature, upgrade_url)
    made = made_of_subclass(view, lambda kind: guarded_class(kind, product_codes, feature, upgrade_url))
    if made is not None:
        return made

    @wraps(view)
    async def async_guarded(request: Any, *args: Any, **kwargs: Any) -> Any:
        decision = await access.acheck(request, *product_codes, feature=feature)
        if not decision:
            return await sync_to_async(refused)(request, decision, upgrade_url)
        response = view(request, *args, **kwargs)
        return private(await response if isawaitable(response) else response)

    if is_async(view):
        return async_guarded

    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> Any:
        decision = access.check(request, *product_codes, feature=feature)
        return private(view(request, *args, **kwargs)) if decision else refused(request, decision, upgrade_url)

    return guarded


def guarded_class(view: Any, product_codes: tuple[str, ...], feature: str, upgrade_url: UpgradeUrl) -> Any:
    """The class itself. DRF's views know who asks only once they have authenticated, so they get a permission."""
    if hasattr(view, "check_permissions"):
        from licenzy_django.permissions import HasEntitlement

        permission, given = HasEntitlement.of(*product_codes, feature=feature), view.get_permissions
        # Not permission_classes, which as_view, an action or a subclass may replace.
        view.get_permissions = lambda self: [*given(self), permission()]
        return view
    guarded = requires_entitlement(*product_codes, feature=feature, upgrade_url=upgrade_url)
    return method_decorator(guarded, name="dispatch")(view)


def made_of_subclass(view: Any, changed: Callable[[Any], Any]) -> Any:
    """What DRF's ``as_view`` or ``@api_view`` has made, made again of a changed subclass.

    Returns None for any other view, also for one with a decorator in between, which would be lost.
    """
    kind: Any = getattr(view, "cls", None)
    if not hasattr(kind, "check_permissions"):
        return None
    subclass = type(kind.__name__, (kind,), {"__module__": kind.__module__, "__doc__": kind.__doc__})
    actions = {"actions": view.actions} if hasattr(view, "actions") else {}
    made = changed(subclass).as_view(**actions, **view.initkwargs)
    if len(list(wrapped_in(made))) != len(list(wrapped_in(view))):
        return None
    # Marks such as non_atomic_requests are attributes of the function.
    made.__dict__.update({name: mark for name, mark in vars(view).items() if name not in vars(made)})
    return made


def wrapped_in(view: Any) -> Iterator[Any]:
    while hasattr(view, "__wrapped__"):
        view = view.__wrapped__
        yield view


def is_async(view: Any) -> bool:
    """Whether its answer is awaited; also of the dispatch of a class with async handlers, which is a plain method."""
    # method_decorator wraps the bound method in a partial.
    owner = getattr(getattr(view, "func", view), "__self__", None)
    return iscoroutinefunction(view) or bool(getattr(owner, "view_is_async", False))


def consumes_units(units: int, *, product_code: str = "") -> Callable[[View], View]:
    """Let a view run only for a subject with that many units left, and use them if it succeeds.

    They are set aside while the view runs; an exception or an answer of 400 and above costs nothing. Raises
    EntitlementRequired for nobody and InsufficientUsage for too few units; both are a PermissionDenied: a 403. An API
    client gets the JSON error form with 403.
    """

    def consuming(view: View) -> View:
        made: View | None = made_of_subclass(view, lambda kind: with_handlers(kind, consuming))
        if made is not None:
            return made
        if iscoroutinefunction(view):

            @wraps(view)
            async def async_consumer(request: Any, *args: Any, **kwargs: Any) -> Any:
                try:
                    reserved = await sync_to_async(set_aside)(request, units, product_code)
                except (EntitlementRequired, InsufficientUsage) as error:
                    return refused_with(error, request)
                async with reserved:
                    response = await view(request, *args, **kwargs)
                    reserved.use(units if response.status_code < 400 else 0)
                return response

            return async_consumer

        @wraps(view)
        def consumer(request: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                reserved = set_aside(request, units, product_code)
            except (EntitlementRequired, InsufficientUsage) as error:
                return refused_with(error, request)
            with reserved:
                response = view(request, *args, **kwargs)
                reserved.use(units if response.status_code < 400 else 0)
            return response

        return consumer

    return consuming


def with_handlers(kind: Any, wrapped: Callable[[View], View]) -> Any:
    """DRF's class itself, its handlers wrapped: they are called when DRF knows who asks."""
    given = kind.initial

    def initial(self: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        given(self, request, *args, **kwargs)
        name = request.method.lower()
        if hasattr(self, name):
            setattr(self, name, wrapped(getattr(self, name)))

    kind.initial = initial
    return kind


def set_aside(request: Any, units: int, product_code: str) -> usage.Reserved:
    subject_ref = subject_ref_of(request)
    if subject_ref is None:
        raise EntitlementRequired(decision=access.Decision(False, "anonymous"))
    return usage.reserve(subject_ref, units, idempotency_key=uuid4().hex, product_code=product_code)
