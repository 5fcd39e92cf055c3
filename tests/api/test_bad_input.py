"""Bad input of any kind is answered 4xx in the error form, never 500, never with a redirect."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.http import HttpResponse
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from licenzy_django.models import CheckoutAttempt, Subject
from licenzy_django.testing import StripeDouble
from tests.backend import Backend, error_of

CHANGES = ["subscription/preview", "subscription/change", "subscription/cancel", "subscription/resume"]
POSTS = ["checkout/session", "access/check", "billing-portal/session", "usage/consume", "usage/reserve", *CHANGES]
OTHER_POSTS = ["usage/confirm", "usage/release", "usage/refund"]
NEEDS = {
    "checkout/session": {"product_code": "P"},
    "usage/consume": {"units": 1},
    "usage/reserve": {"units": 1},
    **{path: {"product_code": "P"} for path in CHANGES},
}
GETS = ["customer/access", "entitlements"]

every_post = pytest.mark.parametrize("path", POSTS)
every_get = pytest.mark.parametrize("path", GETS)


def refused(answer: HttpResponse) -> None:
    """4xx, in the form, as JSON."""
    status, _ = error_of(answer)
    assert 400 <= status < 500, (status, answer.content[:500])
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.django_db
@every_post
@pytest.mark.parametrize("length", ["abc", "9" * 5000], ids=["abc", "999…"])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_content_length_that_is_none(path: str, length: str, is_known: bool) -> None:
    backend = Backend()
    key = backend.key if is_known else "nonsense"
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "k", "Content-Length": length}
    refused(backend.client.generic("POST", f"/v1/{path}", b"{}", content_type="application/json", headers=headers))


@pytest.mark.parametrize("length", ["abc", "9" * 5000], ids=["abc", "999…"])
def test_a_content_length_that_is_none_at_the_webhook(length: str, client: Client) -> None:
    headers = {"Content-Length": length}
    refused(client.generic("POST", "/v1/webhooks/stripe", b"{}", content_type="application/json", headers=headers))


# --- bodies -----------------------------------------------------------------------------------------------------------

BODIES: dict[str, bytes] = {
    "empty": b"",
    "white space": b"  \n",
    "not JSON": b"{subject_ref: 1}",
    "cut short": b'{"subject_ref": "user_1"',
    "two objects": b"{}{}",
    "a list": b"[]",
    "null": b"null",
    "a text": b'"user_1"',
    "a number": b"1",
    "NaN": b"NaN",
    "Infinity inside": b'{"subject_ref": Infinity}',
    "not UTF-8": b'{"subject_ref": "\xff\xfe"}',
    "UTF-16 without a mark": '{"subject_ref": 1}'.encode("utf-16-le"),
    "too long": b'{"subject_ref": "' + b"a" * 1_000_000 + b'"}',
    "longer than Django reads": b'{"subject_ref": "' + b"a" * 3_000_000 + b'"}',
    "too deep": b"[" * 30_000 + b"]" * 30_000,
    "a deep object": b'{"subject_ref":' * 4_000 + b"1" + b"}" * 4_000,
    "an endless number": b'{"subject_ref": ' + b"9" * 10_000 + b"}",
    "a form": b"subject_ref=user_1",
    "no subject": b'{"product_code": "PRO_MONTHLY"}',
    "an unknown field": b'{"subject_ref": "user_1", "product_code": "PRO_MONTHLY", "Mode": "live"}',
    "an unknown half character": b'{"subject_ref": "user_1", "product_code": "P", "\\ud800": 1}',
    "an unknown NUL": b'{"subject_ref": "user_1", "product_code": "P", "\\u0000": 1}',
    "an unknown empty name": b'{"subject_ref": "user_1", "product_code": "P", "": 1}',
    "ten thousand unknown fields": json.dumps({str(number): 1 for number in range(5000)}).encode(),
}


@pytest.mark.parametrize("path", [*POSTS, *OTHER_POSTS])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_bad_body_is_an_invalid_request(backend: Backend, path: str, body: bytes) -> None:
    answer = backend.post(path, body, idempotency_key="k")

    assert error_of(answer) == (400, "invalid_request")
    assert len(answer.content) < 5_000
    assert not Subject.objects.exists()


SUBJECTS: list[Any] = [
    None, 1, 1.5, True, [], {}, ["user_1"], {"a": 1}, "", " ", "/", "//", " user", "user ", "\tuser", "user\n",
    "/user", "user/", "u\x00", "u\x01", "u\x7f", "u\x85", "\u2003u", "u\ud800", "\udfffu", "u" * 256, "🙂" * 256,
]  # fmt: skip


@every_post
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: ascii(subject)[:30])
def test_what_is_no_subject_ref_is_named_in_fields(backend: Backend, path: str, subject: Any) -> None:
    body = {"subject_ref": subject, **NEEDS.get(path, {})}

    answer = backend.post(path, body, idempotency_key="k")

    assert error_of(answer) == (400, "invalid_request")
    assert set(answer.json()["fields"]) == {"subject_ref"}


GOOD_SUBJECTS = [
    "u", "user_123", "org:acme/eu", "a b", "a//b", "a%2Fb", "%", "%%20", "a+b", "a?b=c#d", "ü", "日本", "🙂" * 255,
    "u" * 255, "..", "a/../b", "'; DROP TABLE", "a\\b", '"', "u\u200b", "u\u202e", "null", "0", "-1", "access/check",
]  # fmt: skip


@pytest.mark.parametrize("subject", GOOD_SUBJECTS, ids=lambda subject: ascii(subject)[:30])
def test_any_other_text_is_a_subject_ref_in_a_body_and_in_a_path(backend: Backend, subject: str) -> None:
    assert not backend.is_allowed(subject)
    assert backend.access(subject)["subject_ref"] == subject
    for path in GETS:
        for slash in ("", "/"):
            answer = backend.get(f"{path}/{quote(subject, safe='')}{slash}")
            assert (answer.status_code, answer.json()["subject_ref"]) == (200, subject)


@every_get
@pytest.mark.parametrize(
    "encoded",
    ["%00", "u%00", "%0A", "u%0d%0a", "%20", "u%20", "%2F", "u%2F%2F", "%C2%85u", "u" * 256, "/", "//u", "%09"],
)
def test_a_path_without_a_subject_ref_is_an_invalid_request(backend: Backend, path: str, encoded: str) -> None:
    assert error_of(backend.get(f"{path}/{encoded}")) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("product_code", [None, 1, True, [], {}, "", "x" * 65, "a\x00", "a\ud800"]),
        ("quantity", [None, 0, -1, 1_000_000, 10**30, 1.0, 1.5, "1", True, [], {}]),
        ("customer_email", [None, 1, [], "", "ada", "ada@", "a b@c.example", "a@b.example\n", "a\x00@b.example",
                            "ü" * 250 + "@b.example", "a@" + "b" * 300 + ".example"]),
        ("success_url", [None, 1, [], "", "x", "javascript:1", "https://evil.example", "https://\ud800", "h" * 3000]),
        ("cancel_url", [None, 1, [], "", "x", "javascript:1", "https://evil.example", "https://\x00", "h" * 3000]),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)  # fmt: skip
def test_a_bad_field_of_a_checkout_is_named(
    stripe_double: StripeDouble, backend: Backend, field: str, values: list[Any]
) -> None:
    stripe_double.sell("PRO_MONTHLY")
    for value in values:
        body = {"subject_ref": "user_1", "product_code": "PRO_MONTHLY", field: value}

        answer = backend.post("checkout/session", body, idempotency_key="k")

        assert error_of(answer) == (400, "invalid_request"), value
        assert set(answer.json()["fields"]) == {field}, value
    assert not CheckoutAttempt.objects.exists()


@pytest.mark.parametrize("field", ["product_code", "feature"])
@pytest.mark.parametrize("value", [None, 1, True, [], {}, "", "x" * 101, "a\x00", "a\ud800"], ids=ascii)
def test_a_bad_narrowing_of_an_access_check_is_named(backend: Backend, field: str, value: Any) -> None:
    answer = backend.post("access/check", {"subject_ref": "user_1", field: value})

    assert error_of(answer) == (400, "invalid_request")
    assert set(answer.json()["fields"]) == {field}


def test_too_many_parameters_are_an_invalid_request(backend: Backend) -> None:
    query = "&".join(f"a{number}=1" for number in range(1500))

    assert error_of(backend.get(f"entitlements/user_1?{query}")) == (400, "invalid_request")
    assert error_of(backend.get(f"schema?{query}")) == (400, "invalid_request")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=-1", "limit=a", "limit=1.5", "limit=", "limit=" + "9" * 5000,
              "starting_after=", "starting_after=%00", "starting_after=" + "e" * 41, "starting_after=ent_no",
              "limit=1&limit=a", "limit=%FF"]
)  # fmt: skip
def test_a_bad_page_is_an_invalid_request(backend: Backend, query: str) -> None:
    assert error_of(backend.get(f"entitlements/user_1?{query}")) == (400, "invalid_request")


# --- anything at all --------------------------------------------------------------------------------------------------

texts = st.text(st.characters(), max_size=20) | st.sampled_from(
    ["user_1", "PRO_MONTHLY", "\x00", "\ud800", "a/b", "🙂"]
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
names = st.sampled_from(
    [
        "subject_ref",
        "product_code",
        "feature",
        "quantity",
        "customer_email",
        "success_url",
        "cancel_url",
        "return_url",
        "units",
        "ttl_seconds",
        "reservation_id",
        "consumption_key",
        "reason",
    ]
)
bodies = st.dictionaries(names | texts, values, max_size=5).map(lambda body: json.dumps(body).encode()) | st.binary()
header_values = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=40)


@pytest.fixture
def shop(stripe_double: StripeDouble) -> StripeDouble:
    stripe_double.sell("PRO_MONTHLY")
    return stripe_double


fuzzed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@fuzzed
@given(path=st.sampled_from([*POSTS, *OTHER_POSTS]), slash=st.sampled_from(["", "/"]), body=bodies, key=header_values)
@example(path="checkout/session", slash="", body=b'{"\\ud800": 1}', key="k")
def test_no_body_and_no_header_breaks_an_endpoint(
    shop: StripeDouble, backend: Backend, path: str, slash: str, body: bytes, key: str
) -> None:
    answer = backend.post(path + slash, body, idempotency_key=key)

    if answer.status_code not in (200, 201):
        refused(answer)


@fuzzed
@given(path=st.sampled_from(GETS), subject=texts, query=texts)
def test_no_path_and_no_query_breaks_an_endpoint(backend: Backend, path: str, subject: str, query: str) -> None:
    encoded = quote(subject.encode("utf-8", "surrogatepass"), safe="")
    query = quote(query.encode("utf-8", "surrogatepass"), safe="=&")

    answer = backend.get(f"{path}/{encoded or '%20'}?limit={query}")

    if answer.status_code != 200:
        refused(answer)


@fuzzed
@given(authorization=header_values, path=st.sampled_from([*POSTS, *OTHER_POSTS]))
def test_no_authorization_header_breaks_the_door(backend: Backend, authorization: str, path: str) -> None:
    answer = backend.client.post(f"/v1/{path}", b"{}", "application/json", headers={"Authorization": authorization})

    assert error_of(answer)[0] == 401
