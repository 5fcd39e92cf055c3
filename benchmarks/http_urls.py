"""The views that share a server with ours: how fast could it be at all?"""

from __future__ import annotations

import json

from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from licenzy_django.models import Entitlement


def is_there(subject_ref: str) -> bool:
    return Entitlement.objects.filter(subject_ref=subject_ref, mode="test").exists()


@csrf_exempt
def bare(request: HttpRequest) -> JsonResponse:
    """Reads the body, and answers."""
    asked = json.loads(request.body)
    return JsonResponse({"subject_ref": asked["subject_ref"], "allowed": True})


@csrf_exempt
def bare_query(request: HttpRequest) -> JsonResponse:
    asked = json.loads(request.body)
    return JsonResponse({"subject_ref": asked["subject_ref"], "allowed": is_there(asked["subject_ref"])})


class BareDrfQuery(APIView):
    """No authentication, no serializer."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        subject_ref = request.data["subject_ref"]
        return Response({"subject_ref": subject_ref, "allowed": is_there(subject_ref)})


urlpatterns = [
    path("bare", bare),
    path("bare-query", bare_query),
    path("drf-query", BareDrfQuery.as_view()),
    path("v1/", include("licenzy_django.urls")),
]
