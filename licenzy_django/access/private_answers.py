"""What depends on who asks is not kept by a cache around us: neither by Django's own, nor by one on the way.

Access is decided inside the view, so a cache outside of it would give one person's answer to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers

Answer = TypeVar("Answer")
Response = TypeVar("Response", bound=HttpResponseBase)


def private(response: Answer) -> Answer:
    """For the asker's own browser alone; what else the view says about caching stays."""
    if isinstance(response, HttpResponseBase):
        patch_cache_control(response, private=True)
    return response


def never_stored(response: Answer) -> Answer:
    """Not even by the asker's browser: a refusal must not outlive the payment."""
    if isinstance(response, HttpResponseBase):
        response.headers["Cache-Control"] = "private, no-store"
    return response


def for_the_key_alone(view: Callable[..., Response]) -> Callable[..., Response]:
    """Every answer of a view of our API."""

    @wraps(view)
    def answered(request: Any, *args: Any, **kwargs: Any) -> Response:
        response = never_stored(view(request, *args, **kwargs))
        patch_vary_headers(response, ["Authorization"])
        return response

    return answered


def keep_private(view: Any) -> None:
    """Have a view of DRF, which is made anew for each request, finish its answer as a private one."""
    finish = view.finalize_response

    def finish_privately(*args: Any, **kwargs: Any) -> Any:
        return private(finish(*args, **kwargs))

    view.finalize_response = finish_privately
