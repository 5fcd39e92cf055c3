"""The answer where there is no endpoint."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from licenzy_django.access.private_answers import for_the_key_alone


@for_the_key_alone
@csrf_exempt
@login_not_required
def not_found(request: HttpRequest) -> JsonResponse:
    """404 in the form of the API, for every address below it.

    A host routes it last, below all that it serves there itself: ``re_path(r"^v1/", not_found)``.
    """
    return JsonResponse({"error": "not_found", "message": "There is nothing here."}, status=404)
