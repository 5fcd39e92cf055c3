from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from licenzy_django.admin.audit_log import log_action
from licenzy_django.admin.base import LookedUp
from licenzy_django.admin.health import health_of
from licenzy_django.admin.links import page_of, stripe_link
from licenzy_django.admin.permissions import may_support
from licenzy_django.admin.subject.actions import ActionFailed
from licenzy_django.admin.subject.actions.base import NOTHING_MORE
from licenzy_django.admin.subject.actions.stripe import Replay, ReplayForm, replayed
from licenzy_django.conf import licenzy_settings
from licenzy_django.models import Mode, StripeEvent


@admin.register(StripeEvent)
class StripeEventAdmin(LookedUp):
    """The inbox. The digest of the body is nobody's business; the payload is kept without personal data."""

    list_display = ["event_id", "mode", "type", "status", "outcome", "tries", "subject", "received_at"]
    list_filter = ["mode", "status", "type"]
    list_select_related = ["subject"]
    exact_search_fields = ["event_id", "object_id", "subject__subject_ref"]
    search_help_text = _("An evt_ id, the id of the object it is about, or a subject, pasted as it is.")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        head = ["at_stripe", "mode", "type", "about", "subject_page", "status", "outcome", "error", "tries"]
        times = ["api_version", "occurred_at", "received_at", "processed_at"]
        return [*head, *times, "payload", *(["replaying"] if may_support(request) else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.get_fields(request, obj)

    @admin.display(description=_("event"))
    def at_stripe(self, event: StripeEvent) -> SafeString | str:
        return stripe_link(event.event_id, event.mode)

    @admin.display(description=_("about"))
    def about(self, event: StripeEvent) -> SafeString | str:
        return stripe_link(event.object_id, event.mode)

    @admin.display(description=_("subject"))
    def subject_page(self, event: StripeEvent) -> SafeString | str:
        if event.subject_id is None:
            return gettext("not known")
        return format_html('<a href="{}">{}</a>', page_of(event.subject_id), event.subject)

    @admin.display(description="")
    def replaying(self, event: StripeEvent) -> SafeString:
        url = reverse("admin:licenzy_stripeevent_replay", args=[event.pk])
        return format_html('<a class="button" href="{}">{}</a>', url, _("Replay this event"))

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("health/", wrap(self.health_view), name="licenzy_stripeevent_health"),
            path("<path:object_id>/replay/", wrap(self.replay_view), name="licenzy_stripeevent_replay"),
            *super().get_urls(),
        ]

    @method_decorator(never_cache)
    def health_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET.get("mode", "")
        mode = asked if asked in Mode.values else licenzy_settings().MODE
        context = {"title": _("Health"), "modes": Mode.choices, **health_of(mode)}
        return self.page(request, "admin/licenzy/health.html", context)

    @method_decorator(never_cache)
    @method_decorator(transaction.non_atomic_requests)  # processing may ask Stripe
    def replay_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """For events that nobody's page shows. The same verb as on a subject's page."""
        if not may_support(request):
            raise PermissionDenied
        event = self.get_object(request, unquote(object_id))
        if event is None:
            raise Http404
        back = reverse("admin:licenzy_stripeevent_change", args=[event.pk])
        form = ReplayForm(request.POST if request.method == "POST" else None, initial={"tries": event.tries})
        if request.method == "POST" and form.is_valid():
            self.replay(request, event, form.cleaned_data)
            return HttpResponseRedirect(back)
        context = {
            "title": Replay.title,
            "consequence": gettext("%(type)s (%(event)s) is processed again. What it changed before stays as it is.")
            % {"type": event.type, "event": event.event_id},
            "form": form,
            "button": Replay.button,
            "back": back,
        }
        return self.page(request, "admin/licenzy/act.html", context)

    def replay(self, request: HttpRequest, event: StripeEvent, given: dict[str, Any]) -> None:
        if event.tries != given["tries"]:
            messages.info(request, NOTHING_MORE)
            return
        try:
            outcome = replayed(event)
        except ActionFailed as failed:
            messages.error(request, str(failed))
            return
        what = gettext("Event %(event)s is processed: %(outcome)s.") % {"event": event.event_id, "outcome": outcome}
        log_action(request, event, what, reason=given["reason"])
        messages.success(request, what)
