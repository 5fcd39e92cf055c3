"""A body that is too long is refused before it is read, whatever it says about its length."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.test import RequestFactory

from licenzy_django.request_bodies import read_body


class Endless(io.RawIOBase):
    """A body that never ends, as a chunked one may under ASGI; it counts what is read of it."""

    taken = 0

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            pytest.fail("the whole body was read")
        self.taken += size
        return b" " * size


def request_with(length: str, stream: Any) -> Any:
    request = RequestFactory().post("/v1/access/check", b"{}", content_type="application/json")
    request.META["CONTENT_LENGTH"] = length
    request._stream = stream
    return request


@pytest.mark.parametrize("length", ["101", "9" * 40, "-1", "abc", "\u0661"])
def test_a_declared_length_is_believed_before_anything_is_read(length: str) -> None:
    stream = Endless()
    assert read_body(request_with(length, stream), 100) is None
    assert stream.taken == 0


def test_of_a_body_without_a_length_no_more_is_read_than_may_be() -> None:
    stream = Endless()
    assert read_body(request_with("", stream), 100) is None
    assert stream.taken <= 101


def test_a_body_can_be_read_twice() -> None:
    request = request_with("", io.BytesIO(b"{}"))
    assert read_body(request, 100) == read_body(request, 100) == request.body == b"{}"
