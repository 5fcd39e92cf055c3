"""What people type into the pages."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from licenzy_django.db.text import storable

from ..permission import View


def storable_only(view: View) -> View:
    """400 for a form with a character that no database can hold. The marks of the view stay."""

    @wraps(view)
    def serve(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        for _name, values in request.POST.lists():
            if any(storable(str(value)) != value for value in values):
                raise BadRequest("The form has a character that cannot be stored.")
        return view(request, *args, **kwargs)

    return serve
