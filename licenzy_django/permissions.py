"""Gates for DRF's views."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from licenzy_django import access
from licenzy_django.exceptions import EntitlementRequired
from licenzy_django.refusals import error_form


class HasEntitlement(BasePermission):
    """``permission_classes = [HasEntitlement]``, or ``[HasEntitlement.of("PRO_MONTHLY", feature="export")]``.

    A refused request gets 403 and ``entitlement_required`` in the error form, also one from nobody; put
    ``IsAuthenticated`` before it to answer nobody with 401. Can be combined: ``HasEntitlement | IsAdminUser``.
    """

    product_codes: ClassVar[tuple[str, ...]] = ()
    feature: ClassVar[str] = ""

    message = error_form(EntitlementRequired())
    code = EntitlementRequired.code

    @classmethod
    def of(cls, *product_codes: str, feature: str = "") -> type[HasEntitlement]:
        """The permission for any of these products, or for whatever product gives the feature."""
        return permission_of(cls, product_codes, feature)

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises PermissionDenied where DRF would say "not authenticated" to a subject that we know."""
        is_allowed = bool(access.check(request, *self.product_codes, feature=self.feature))
        if not is_allowed and self.stands_alone(view):
            raise PermissionDenied(detail=self.message, code=self.code)
        return is_allowed

    def stands_alone(self, view: Any) -> bool:
        """Whether no other permission could still say yes."""
        return any(type(permission) is type(self) for permission in view.get_permissions())


@cache
def permission_of(kind: type[HasEntitlement], product_codes: tuple[str, ...], feature: str) -> type[HasEntitlement]:
    """The same class for the same question, so that it can be recognised."""

    class HasTheEntitlement(kind):  # type: ignore[misc, valid-type]
        pass

    HasTheEntitlement.product_codes = product_codes
    HasTheEntitlement.feature = feature
    return HasTheEntitlement
