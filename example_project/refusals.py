"""What the shop says where something was not possible."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from licenzy_django.exceptions import AlreadySubscribed, LicenzyError
from licenzy_django.views import OUT_OF_ORDER
from licenzy_django.wording import refusal_in_words


class ToldKindly:
    """A message in the shop for whatever a page of Stripe's or a change runs into."""

    after_a_refusal = "pricing"

    def refused(self, error: LicenzyError) -> HttpResponse:
        request: HttpRequest = self.request  # type: ignore[attr-defined]
        if isinstance(error, OUT_OF_ORDER):
            return render(request, "shop/stripe_unavailable.html", status=503)
        messages.warning(request, str(refusal_in_words(error.code)))
        return redirect("account" if isinstance(error, AlreadySubscribed) else self.after_a_refusal)
