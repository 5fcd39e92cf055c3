"""Addresses and methods that there are not: answered in the form of the API all the same."""

from __future__ import annotations

import pytest
from django.test import Client, override_settings
from django.urls import include, path, re_path

from licenzy_django.urls import not_found

urlpatterns = [path("v1/", include("licenzy_django.urls")), re_path(r"^v1/", not_found)]


@pytest.mark.parametrize("method", ["get", "post", "delete"])
@pytest.mark.parametrize("address", ["", "nope", "/access/check", "webhooks/stripe/x", "entitlements/"])
def test_an_unknown_address_is_not_found_for_everybody(address: str, method: str) -> None:
    with override_settings(ROOT_URLCONF=__name__):
        answer = getattr(Client(enforce_csrf_checks=True), method)(f"/v1/{address}")

    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert answer["Cache-Control"] == "private, no-store"
    assert "Authorization" in answer["Vary"]


@pytest.mark.parametrize(
    ("method", "address", "allowed"),
    [("post", "schema", "GET, HEAD"), ("delete", "schema", "GET, HEAD"), ("get", "webhooks/stripe", "POST")],
)
def test_another_method_is_refused_in_the_form_of_the_api(method: str, address: str, allowed: str) -> None:
    answer = getattr(Client(enforce_csrf_checks=True), method)(f"/v1/{address}")

    assert (answer.status_code, answer.json()["error"], answer["Allow"]) == (405, "method_not_allowed", allowed)
    assert answer["Cache-Control"] == "private, no-store"
