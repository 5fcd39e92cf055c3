"""The OpenAPI document of ``/v1``, made by drf-spectacular (the extra ``openapi``) out of the serializers in use.

Nothing else of the package imports this folder, so that licenzy_django works without drf-spectacular.
"""

from __future__ import annotations

from licenzy_django.api.schema import extensions, views
from licenzy_django.api.schema.document import document, rendered

__all__ = ["document", "extensions", "rendered", "views"]
