"""Gates for class-based views."""

from __future__ import annotations

from typing import Any

from licenzy_django.access.refusals import UpgradeUrl
from licenzy_django.decorators import requires_entitlement


class EntitlementRequiredMixin:
    """Put it first: ``class Report(LoginRequiredMixin, EntitlementRequiredMixin, TemplateView)``. Async and DRF too.

    Attributes:
        product_codes: any of these products; empty means any product.
        feature: whatever product gives this feature.
        upgrade_url: where a refused person is sent: a URL name, a path, or a method that is given the request.
    """

    product_codes: str | tuple[str, ...] | list[str] = ()
    feature: str = ""
    upgrade_url: UpgradeUrl = ""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        view: Any = super().dispatch  # type: ignore[misc]
        if not hasattr(self, "check_permissions"):
            view = requires_entitlement(*self.wanted_codes, feature=self.feature, upgrade_url=self.upgrade_url)(view)
        return view(request, *args, **kwargs)

    def get_permissions(self) -> list[Any]:
        """Only DRF asks, after it has found out who the request is from."""
        from licenzy_django.permissions import HasEntitlement

        given: list[Any] = super().get_permissions()  # type: ignore[misc]
        return [*given, HasEntitlement.of(*self.wanted_codes, feature=self.feature)()]

    @property
    def wanted_codes(self) -> tuple[str, ...]:
        return (self.product_codes,) if isinstance(self.product_codes, str) else tuple(self.product_codes)
