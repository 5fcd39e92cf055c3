"""Three permissions for three kinds of operators. Django's own permissions of each model work beside them."""

from __future__ import annotations

from django.http import HttpRequest

LOOK = "licenzy.look"
"""See everything of every subject, and the health page. Changes nothing."""
SUPPORT = "licenzy.support"
"""What a subject's page offers, unless an action asks for another permission. Includes looking."""
CONFIGURE = "licenzy.configure"
"""Products, API keys, endpoints. Includes looking."""


def may_look(request: HttpRequest) -> bool:
    return any(request.user.has_perm(permission) for permission in (LOOK, SUPPORT, CONFIGURE))


def may_support(request: HttpRequest) -> bool:
    return request.user.has_perm(SUPPORT)


def may_configure(request: HttpRequest) -> bool:
    return request.user.has_perm(CONFIGURE)
