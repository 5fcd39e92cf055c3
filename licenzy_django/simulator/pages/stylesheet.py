"""The stylesheet of the pages, served by the app itself so that it needs no set-up."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET


@login_not_required
@require_GET
def stylesheet(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_css(), content_type="text/css; charset=utf-8", headers={"Cache-Control": "max-age=60"})


@cache
def _css() -> bytes:
    return (Path(__file__).parent / "simulator.css").read_bytes()
