"""The simulator serves nothing where its system check would have refused it, whatever started the server."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound

from .checks import objection

logger = logging.getLogger("licenzy_django.simulator")
View = Callable[..., HttpResponse]
_said: set[str] = set()


def permitted() -> bool:
    """False where real money or strangers may be. Says why in the log, once for each reason and process."""
    problem = objection()
    if problem and problem not in _said:
        _said.add(problem)
        logger.error("The Stripe simulator serves nothing here: %s", problem)
    return not problem


def guarded(view: View) -> View:
    """404 where the simulator is not permitted. The marks of the view, such as ``csrf_exempt``, stay."""

    @wraps(view)
    def serve(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs) if permitted() else HttpResponseNotFound()

    return serve
