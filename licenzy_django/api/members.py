"""Seats over HTTP: who holds one, give one, take it back."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from licenzy_django import seats
from licenzy_django.api.serializers import PageRequest, TextField, TimeField
from licenzy_django.api.views import LicenzyView
from licenzy_django.identity import MAX_LENGTH


class MembersPageRequest(PageRequest):
    starting_after = TextField(max_length=MAX_LENGTH, required=False)


class SeatResponse(serializers.Serializer[Any]):
    subject_ref = serializers.CharField()
    member_ref = serializers.CharField()
    available = serializers.BooleanField()


class MemberResponse(serializers.Serializer[Any]):
    member_ref = serializers.CharField()
    available = serializers.BooleanField()
    assigned_at = TimeField()


class MembersView(LicenzyView):
    """GET: who holds a seat, oldest first; ``limit`` and ``starting_after`` turn the pages."""

    def get(self, request: Request, subject_ref: str) -> Response:
        return self.page_of("members", subject_ref, seats.members, MembersPageRequest, MemberResponse)


class MemberView(LicenzyView):
    """PUT: give a seat. DELETE: take it back. Both may be repeated, and need no key."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Only a seat has two names: whoever reads speaks of a subject whose ref has a slash."""
        if request.method in ("GET", "HEAD"):
            return MembersView.as_view()(request, subject_ref="/".join(kwargs.values()))  # type: ignore[no-any-return]
        return super().dispatch(request, *args, **kwargs)

    def put(self, request: Request, subject_ref: str, member_ref: str) -> Response:
        return Response(SeatResponse(seats.assign(subject_ref, member_ref, mode=self.mode)).data)

    def delete(self, request: Request, subject_ref: str, member_ref: str) -> Response:
        return Response(SeatResponse(seats.release(subject_ref, member_ref, mode=self.mode)).data)
