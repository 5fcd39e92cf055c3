"""Django code asks: gates for views."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from inspect import isawaitable
from typing import Any, overload

from asgiref.sync import sync_to_async
from django.db import connections, transaction
from django.utils.decorators import method_decorator

from licenzy_django import access
from licenzy_django.access.gate import Count, Gate
from licenzy_django.access.private_answers import private
from licenzy_django.access.refusals import UpgradeUrl, refused_with
from licenzy_django.exceptions import EntitlementRequired, InsufficientUsage
from licenzy_django.identity import subject_ref_of
from licenzy_django.ledger import packs
from licenzy_django.usage.payment import Payment, requests_are_atomic
from licenzy_django.view_shapes import is_async, made_of_subclass

View = Callable[..., Any]
Marks = frozenset[str]


@overload
def requires_entitlement(view: View, /) -> View: ...
@overload
def requires_entitlement(
    *product_codes: str, feature: str = "", limit: str = "", in_use: Count | None = None, upgrade_url: UpgradeUrl = ""
) -> Callable[[View], View]: ...
def requires_entitlement(
    *given: Any, feature: str = "", limit: str = "", in_use: Count | None = None, upgrade_url: UpgradeUrl = ""
) -> Any:
    """Let a view run only for a subject with access: a function, sync or async, a class, or DRF's.

    ``@requires_entitlement`` asks for any available entitlement, ``@requires_entitlement("PRO_MONTHLY")`` for one of
    the named products, ``@requires_entitlement(feature="export")`` for whatever product gives the feature, and
    ``@requires_entitlement(limit="projects", in_use=count_projects)`` whether there may be one more.

    Whoever is not logged in is nobody and refused like anybody else; put ``@login_required`` above it to ask for a
    login first.

    Args:
        limit: the name of a limit; who has used it up is refused by LimitReached. Two requests at once may both pass:
            ``limits.slot`` lets one in.
        in_use: counts what is in use; it is given the request.
        upgrade_url: where a refused person is sent, with ``?next=``: a URL name, a path, or a callable that is given
            the request. Without one the view raises EntitlementRequired, which is a PermissionDenied: Django answers
            403 with the host's template. An API client gets the JSON error form with 403 either way.
    """
    if len(given) == 1 and callable(given[0]):
        return guarded_view(given[0], Gate(feature=feature, limit=limit, in_use=in_use), upgrade_url)
    gate = Gate(given, feature, limit, in_use)
    return lambda view: guarded_view(view, gate, upgrade_url)


def guarded_view(view: Any, gate: Gate, upgrade_url: UpgradeUrl) -> Any:
    if isinstance(view, type):
        return guarded_class(view, gate, upgrade_url)
    made = made_of_subclass(view, lambda kind: guarded_class(kind, gate, upgrade_url))
    if made is not None:
        return made

    @wraps(view)
    async def async_guarded(request: Any, *args: Any, **kwargs: Any) -> Any:
        refusal = await sync_to_async(gate.refusal)(request)
        if refusal is not None:
            return await sync_to_async(refused_with)(refusal, request, upgrade_url)
        response = view(request, *args, **kwargs)
        return private(await response if isawaitable(response) else response)

    if is_async(view):
        return async_guarded

    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> Any:
        refusal = gate.refusal(request)
        if refusal is not None:
            return refused_with(refusal, request, upgrade_url)
        return private(view(request, *args, **kwargs))

    return guarded


def guarded_class(view: Any, gate: Gate, upgrade_url: UpgradeUrl) -> Any:
    """The class itself. DRF's views know who asks only once they have authenticated, so they get a permission."""
    if hasattr(view, "check_permissions"):
        from licenzy_django.permissions import HasEntitlement

        permission, given = HasEntitlement.behind(gate), view.get_permissions
        # Not permission_classes, which as_view, an action or a subclass may replace.
        view.get_permissions = lambda self: [*given(self), permission()]
        return view
    return method_decorator(lambda method: guarded_view(method, gate, upgrade_url), name="dispatch")(view)


def consumes_units(units: int, *, unit: str = "", product_code: str = "") -> Callable[[View], View]:
    """Let a view run only for a subject with that many units left, and use them if it succeeds: any view that
    ``requires_entitlement`` takes.

    They are set aside while the view runs; an exception or an answer of 400 and above costs nothing. Raises
    EntitlementRequired for nobody and InsufficientUsage for too few units; both are a PermissionDenied: a 403. An API
    client gets the JSON error form with 403.

    Args:
        unit: which kind of units; may be left out where only one is sold.
        product_code: only units of this product.

    With ``ATOMIC_REQUESTS`` the view alone runs in the request's transaction, and the packs are not locked meanwhile.
    Around a single method of a class, which is inside of it, the units are counted before and taken after.
    """

    def consuming(view: Any) -> Any:
        if isinstance(view, type):
            if hasattr(view, "check_permissions"):
                return with_paid_handlers(view, paid)
            return method_decorator(consuming, name="dispatch")(view)
        made = made_of_subclass(view, lambda kind: with_paid_handlers(kind, paid, marks_of(view)))
        return outside_the_transaction(paid(view, marks_of(view))) if made is None else made

    def paid(view: View, marks: Marks) -> View:
        @wraps(view)
        async def async_consumer(request: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                payment = await sync_to_async(begun)(request, units, unit, product_code)
            except (EntitlementRequired, InsufficientUsage) as error:
                return refused_with(error, request)
            is_used = False
            try:
                response = view(request, *args, **kwargs)
                response = await response if isawaitable(response) else response
                is_used = is_success(response)
            finally:
                await sync_to_async(payment.finish)(is_used=is_used)
            return private(response)

        @wraps(view)
        def consumer(request: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                payment = begun(request, units, unit, product_code)
            except (EntitlementRequired, InsufficientUsage) as error:
                return refused_with(error, request)
            is_used = False
            try:
                with transaction_of_request(marks):
                    response = view(request, *args, **kwargs)
                is_used = is_success(response)
            finally:
                payment.finish(is_used=is_used)
            return private(response)

        return async_consumer if is_async(view) else consumer

    return consuming


def begun(request: Any, units: int, unit: str, product_code: str) -> Payment:
    subject_ref = subject_ref_of(request)
    if subject_ref is None:
        raise EntitlementRequired(decision=access.Decision(False, "anonymous"))
    payment = Payment(subject_ref, units, unit, product_code)
    payment.begin()
    return payment


def is_success(response: Any) -> bool:
    """Whatever a view of another framework answers with, None is a mistake of the view."""
    return response is not None and getattr(response, "status_code", 200) < 400


def marks_of(view: Any) -> Marks:
    """The databases for which the host has marked the view with ``non_atomic_requests``."""
    return frozenset(getattr(view, "_non_atomic_requests", ()))


def outside_the_transaction(view: View) -> View:
    """Django must not open the request's transaction: ``transaction_of_request`` does, around the view alone."""
    if is_async(view):
        return view
    marked: View = transaction.non_atomic_requests(using=packs.writer())(view)
    return marked


def transaction_of_request(marks: Marks) -> AbstractContextManager[Any]:
    using = packs.writer()
    is_wanted = requests_are_atomic() and using not in marks and not connections[using].in_atomic_block
    return transaction.atomic(using=using) if is_wanted else nullcontext()


def with_paid_handlers(kind: Any, paid: Callable[[View, Marks], View], marks: Marks = frozenset()) -> Any:
    """DRF's class itself, its handlers wrapped: they are called when DRF knows who asks."""
    given, dispatch = kind.initial, kind.dispatch

    def initial(self: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        given(self, request, *args, **kwargs)
        name = request.method.lower()
        if hasattr(self, name):
            setattr(self, name, paid(getattr(self, name), marks))

    def dispatch_outside(self: Any, *args: Any, **kwargs: Any) -> Any:
        return dispatch(self, *args, **kwargs)

    # The marks, but not as wraps does it: as_view passes them on, and __wrapped__ would tell of a decorator in between.
    dispatch_outside.__dict__.update(dispatch.__dict__)
    kind.initial = initial
    kind.dispatch = outside_the_transaction(dispatch_outside)
    return kind
