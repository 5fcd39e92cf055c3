"""Another backend of the same company, as it speaks to ``/v1`` with its API key."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from django.http import HttpResponse
from django.test import Client

from licenzy_django.models import ApiKey


class Backend:
    """``backend.post("access/check", {"subject_ref": "user_1"})``; the answers are Django's test responses."""

    def __init__(self, mode: str = "test", *, key: str = "") -> None:
        self.key = key or ApiKey.objects.issue(mode, "the tests")[1]
        self.client = Client()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        """``body`` is sent as it is if it is bytes, as JSON otherwise; ``idempotency_key="k"`` becomes a header."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {"Authorization": f"Bearer {self.key}"}
        named |= {name.replace("_", "-").title(): value for name, value in headers.items()}
        return self.client.generic(method, f"/v1/{path}", raw, content_type="application/json", headers=named)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.send("POST", path, body, **headers)

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.send("GET", path, **headers)

    def checkout(self, subject_ref: str, product_code: str, *, key: str = "order-1", **more: Any) -> HttpResponse:
        body = {"subject_ref": subject_ref, "product_code": product_code, **more}
        return self.post("checkout/session", body, idempotency_key=key)

    def is_allowed(self, subject_ref: str, **narrowed: str) -> bool:
        answer = self.post("access/check", {"subject_ref": subject_ref, **narrowed})
        assert answer.status_code == 200, answer.content
        allowed: bool = answer.json()["allowed"]
        return allowed

    def access(self, subject_ref: str) -> Any:
        return self.get(f"customer/access/{quote(subject_ref, safe='')}").json()

    def entitlements(self, subject_ref: str, query: str = "") -> Any:
        return self.get(f"entitlements/{quote(subject_ref, safe='')}{query}").json()


def error_of(answer: HttpResponse) -> tuple[int, str]:
    """Status and code, after a look at the form that every error has."""
    body = answer.json()
    assert set(body) >= {"error", "message"}, body
    assert isinstance(body["message"], str)
    assert body["message"], body
    return answer.status_code, body["error"]
