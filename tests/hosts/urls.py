"""Views that cost units, where each request is a transaction."""

import time
from uuid import uuid4

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import path

from licenzy_django.decorators import consumes_units


@consumes_units(5)
def slow(request: HttpRequest) -> HttpResponse:
    User.objects.create_user(f"made by {uuid4().hex}")
    time.sleep(1.5)
    return HttpResponse("done")


@consumes_units(5)
def failing(request: HttpRequest) -> HttpResponse:
    User.objects.create_user("of a failure")
    raise ZeroDivisionError


urlpatterns = [path("slow/", slow), path("failing/", failing)]
