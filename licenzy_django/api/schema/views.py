"""Our views in a host's own document, as they are in ours."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiViewExtension

from licenzy_django.api.schema.operation import described
from licenzy_django.api.schema.operations import OPERATIONS


class LicenzyViews(OpenApiViewExtension):
    target_class = "licenzy_django.api.views.LicenzyView"
    match_subclasses = True

    def view_replacement(self) -> Any:
        operations = [each for each in OPERATIONS if each.view is self.target]
        return described(operations) if operations else self.target
