"""The operations on seats that people hold."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers

from licenzy_django import exceptions as ours
from licenzy_django.api import members
from licenzy_django.api.schema import bodies
from licenzy_django.api.schema.extensions import MEMBER_PATTERN
from licenzy_django.api.schema.operation import Operation, page_of, subject_in_path

MEMBER_IN_PATH = OpenApiParameter(
    "member_ref",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": MEMBER_PATTERN},
    OpenApiParameter.PATH,
    description="Percent-encoded. It has no slash: what stands before the last slash of the path is the subject_ref.",
    examples=[OpenApiExample("a user", value="user_7")],
)
SUBJECT_IN_PATH = subject_in_path("an organisation", "org:acme")


class MembersPage(serializers.Serializer[Any]):
    subject_ref = serializers.CharField()
    members = members.MemberResponse(many=True)
    has_more = serializers.BooleanField()


SEATS = [
    Operation(
        path="/members/{subject_ref}/{member_ref}",
        method="put",
        view=members.MemberView,
        name="assignSeat",
        description="Who has a seat keeps it: the same again gives the same answer. available is false for a seat that "
        "was held before the limit shrank.",
        summary="Give a member a seat",
        tag="Seats",
        answer=members.SeatResponse,
        shown=bodies.SEAT_RESPONSE,
        parameters=(SUBJECT_IN_PATH, MEMBER_IN_PATH),
        errors=(ours.LimitReached,),
    ),
    Operation(
        path="/members/{subject_ref}/{member_ref}",
        method="delete",
        view=members.MemberView,
        name="releaseSeat",
        description="Also of a member that has none. available is false.",
        summary="Take a member's seat back",
        tag="Seats",
        answer=members.SeatResponse,
        shown={**bodies.SEAT_RESPONSE, "available": False},
        parameters=(SUBJECT_IN_PATH, MEMBER_IN_PATH),
    ),
    Operation(
        path="/members/{subject_ref}",
        method="get",
        view=members.MembersView,
        name="listMembers",
        description="After the limit shrank nobody is removed: the oldest seats are available, and the others "
        "are not. starting_after and limit turn the pages while has_more is true.",
        summary="Who holds a seat, oldest first",
        tag="Seats",
        answer=MembersPage,
        shown=bodies.MEMBERS_RESPONSE,
        parameters=(SUBJECT_IN_PATH, *page_of("The member_ref of the last member of the page before.", 255)),
    ),
]
