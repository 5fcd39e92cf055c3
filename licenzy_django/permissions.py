"""Gates for DRF's views."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import AND, NOT, OR, BasePermission, BasePermissionMetaclass, OperandHolder
from rest_framework.request import Request

from licenzy_django.access.gate import Count, Gate
from licenzy_django.access.private_answers import keep_private
from licenzy_django.exceptions import EntitlementRequired


class PrivateEither(OR):
    """The answer is private whoever said yes."""

    def has_permission(self, request: Request, view: Any) -> bool:
        keep_private(view)
        return bool(super().has_permission(request, view))


class Alternatives(OperandHolder):
    """``HasEntitlement | Other`` asks the other first: whoever is asked last can say why nobody said yes."""

    def __init__(self, last: Any, other: Any) -> None:
        super().__init__(PrivateEither, other, last)  # type: ignore[arg-type]

    def __or__(self, other: Any) -> OperandHolder:
        return Alternatives(self, other)

    __ror__ = __or__


class EntitlementPermissionMetaclass(BasePermissionMetaclass):
    def __or__(cls, other: Any) -> OperandHolder:  # type: ignore[override]  # noqa: N805
        return Alternatives(cls, other)

    def __ror__(cls, other: Any) -> OperandHolder:  # type: ignore[override]  # noqa: N805
        return Alternatives(cls, other)


class HasEntitlement(BasePermission, metaclass=EntitlementPermissionMetaclass):
    """``permission_classes = [HasEntitlement]``, or ``[HasEntitlement.of("PRO_MONTHLY", feature="export")]``.

    A refused request gets 403 and ``entitlement_required`` in the error form, also one from nobody; put
    ``IsAuthenticated`` before it to answer nobody with 401. Can be combined: ``HasEntitlement | IsAdminUser``.
    """

    product_codes: ClassVar[tuple[str, ...]] = ()
    feature: ClassVar[str] = ""
    limit: ClassVar[str] = ""
    in_use: ClassVar[Count | None] = None

    message = EntitlementRequired().form
    code = EntitlementRequired.code

    @classmethod
    def of(
        cls, *product_codes: str, feature: str = "", limit: str = "", in_use: Count | None = None
    ) -> type[HasEntitlement]:
        """The permission for any of these products, for whatever product gives the feature, or where a limit allows one
        more than ``in_use(request)``."""
        return cls.behind(Gate(product_codes, feature, limit, in_use))

    @classmethod
    def behind(cls, gate: Gate) -> type[HasEntitlement]:
        return permission_of(cls, gate)

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises PermissionDenied where DRF would say "not authenticated" to a subject that we know."""
        keep_private(view)
        kind = type(self)
        refusal = Gate(kind.product_codes, kind.feature, kind.limit, kind.in_use).refusal(request)
        if refusal is None:
            return True
        self.message, self.code = refusal.form, refusal.code
        if self.has_the_last_word(view):
            denied = PermissionDenied(code=self.code)
            # Given to the constructor, its numbers would become texts.
            denied.detail = self.message
            raise denied
        return False

    def has_the_last_word(self, view: Any) -> bool:
        """Whether no permission that is asked later could still say yes."""
        found = [is_last for permission in view.get_permissions() for is_last in self.places_in(permission)]
        return bool(found) and all(found)

    def places_in(self, permission: Any) -> Iterator[bool]:
        """For each time this question is asked in a combination of permissions, whether a no decides there."""
        first, second = (getattr(permission, name, None) for name in ("op1", "op2"))
        if type(permission) is type(self):
            yield True
        elif isinstance(permission, AND):
            yield from self.places_in(first)
            yield from self.places_in(second)
        elif isinstance(permission, OR):
            yield from (False for _ in self.places_in(first))
            yield from self.places_in(second)
        elif isinstance(permission, NOT):
            yield from (False for _ in self.places_in(first))


@cache
def permission_of(kind: type[HasEntitlement], gate: Gate) -> type[HasEntitlement]:
    """The same class for the same question, so that it can be recognised."""

    class HasTheEntitlement(kind):  # type: ignore[misc, valid-type]
        pass

    HasTheEntitlement.product_codes = gate.product_codes
    HasTheEntitlement.feature = gate.feature
    HasTheEntitlement.limit = gate.limit
    # A function would become a method of the class.
    HasTheEntitlement.in_use = None if gate.in_use is None else staticmethod(gate.in_use)
    return HasTheEntitlement
