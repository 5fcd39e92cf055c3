from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from licenzy_django.admin.audit_log import ReasonForm, log_action, new_request_id
from licenzy_django.admin.base import Configured, LookedUp
from licenzy_django.admin.links import page_of
from licenzy_django.admin.permissions import may_support
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.models import Delivery, EventType, Mode, OutboundEndpoint, OutboundEvent, Subject
from licenzy_django.outbound import endpoints

EVENTS = forms.MultipleChoiceField(
    label=_("Events"),
    choices=EventType.choices,
    required=False,
    widget=forms.CheckboxSelectMultiple,
    help_text=_("None chosen means all."),
)


class NewEndpointForm(forms.Form):
    mode = forms.ChoiceField(label=_("Mode"), choices=Mode.choices)
    url = forms.CharField(label=_("URL"), max_length=2000, widget=forms.URLInput(attrs={"size": 60}))
    description = forms.CharField(
        label=_("Description"), max_length=200, required=False, help_text=_("Which system listens there.")
    )
    events = EVENTS
    request_id = forms.CharField(widget=forms.HiddenInput, max_length=40)

    def clean(self) -> dict[str, Any] | None:
        values = super().clean() or self.cleaned_data
        if OutboundEndpoint.objects.filter(mode=values.get("mode"), url=values.get("url")).exists():
            self.add_error("url", _("There is an endpoint with this URL in this mode."))
        return values


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    events = EVENTS

    class Meta:
        model = OutboundEndpoint
        fields = ["description", "events"]


class RotateForm(ReasonForm):
    """``changed_at`` is the endpoint as it was shown: a second click finds another one."""

    changed_at = forms.CharField(widget=forms.HiddenInput, max_length=40)


@admin.register(OutboundEndpoint)
class OutboundEndpointAdmin(Configured):
    """The secrets are shown once, by the page that made them, and are in no other."""

    form = EndpointForm
    list_display = ["__str__", "mode", "description", "is_active", "first_failed_at", "disabled_reason", "created_at"]
    list_filter = ["mode", "is_active"]
    exact_search_fields = ["url"]
    search_help_text = _("A whole URL, pasted as it is.")
    readonly_fields = [
        "mode",
        "url",
        "is_active",
        "disabled_reason",
        "first_failed_at",
        "previous_secret_until",
        "created_at",
        "doing",
    ]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        shown = ["mode", "url", "description", "events", *self.readonly_fields[2:-1]]
        return [*shown, "doing"] if self.has_change_permission(request, obj) else shown

    @admin.display(description="")
    def doing(self, endpoint: OutboundEndpoint) -> SafeString:
        verbs = [
            ("rotate", _("Rotate the secret")),
            ("off", _("Switch off")) if endpoint.is_active else ("on", _("Switch on")),
        ]
        urls = ((reverse(f"admin:licenzy_outboundendpoint_{verb}", args=[endpoint.pk]), words) for verb, words in verbs)
        return format_html_join(" ", '<a class="button" href="{}">{}</a>', urls)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/rotate/", wrap(self.rotate_view), name="licenzy_outboundendpoint_rotate"),
            path("<path:object_id>/off/", wrap(self.switch_view), {"on": False}, "licenzy_outboundendpoint_off"),
            path("<path:object_id>/on/", wrap(self.switch_view), {"on": True}, "licenzy_outboundendpoint_on"),
            *super().get_urls(),
        ]

    @method_decorator(never_cache)
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else None
        form = NewEndpointForm(given, initial={"request_id": new_request_id()})
        if given is not None and form.is_valid():
            try:
                return self.create(request, form.cleaned_data)
            except InvalidRequest as refused:
                for name, problems in refused.extra["fields"].items():
                    form.add_error(name if name in form.fields else None, problems)
        context = {"form": form, "title": _("Create an endpoint"), "button": _("Create the endpoint")}
        return self.page(request, "admin/licenzy/act.html", context)

    def create(self, request: HttpRequest, chosen: dict[str, Any]) -> HttpResponse:
        """The answer to the first sending of a form shows the secret; there is no second."""
        try:
            with transaction.atomic():
                endpoint, secret = endpoints.create(**chosen)
                log_action(request, endpoint, gettext("Created."), is_new=True)
        except IntegrityError:
            messages.warning(request, _("This form was sent before: its endpoint exists."))
            return HttpResponseRedirect(reverse("admin:licenzy_outboundendpoint_changelist"))
        return self.page(request, "admin/licenzy/secret.html", {"title": endpoint, "secret": secret})

    def configured(self, request: HttpRequest, object_id: str) -> OutboundEndpoint:
        """The endpoint, for those who may change it."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        endpoint: OutboundEndpoint | None = self.get_object(request, unquote(object_id))
        if endpoint is None:
            raise Http404
        return endpoint

    @method_decorator(never_cache)
    def rotate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = self.configured(request, object_id)
        form = RotateForm(
            request.POST if request.method == "POST" else None, initial={"changed_at": endpoint.updated_at.isoformat()}
        )
        if request.method == "POST" and form.is_valid():
            secret = self.rotate(request, endpoint.pk, **form.cleaned_data)
            if secret:
                return self.page(request, "admin/licenzy/secret.html", {"title": endpoint, "secret": secret})
            messages.warning(request, _("The secret was rotated already, and is not shown again."))
            return HttpResponseRedirect(reverse("admin:licenzy_outboundendpoint_change", args=[endpoint.pk]))
        consequence = _("A new secret signs from now on. The old one signs too for a day, so that nothing is lost.")
        return self.confirm(request, endpoint, form, _("Rotate the secret"), consequence)

    @transaction.atomic
    def rotate(self, request: HttpRequest, pk: int, changed_at: str, reason: str) -> str:
        """The new secret; nothing if the endpoint is no longer the one that the form was made for."""
        endpoint = OutboundEndpoint.objects.select_for_update().get(pk=pk)
        if endpoint.updated_at.isoformat() != changed_at:
            return ""
        secret = endpoints.rotate_secret(endpoint)
        log_action(request, endpoint, gettext("Rotated the secret."), reason=reason)
        return secret

    @method_decorator(never_cache)
    def switch_view(self, request: HttpRequest, object_id: str, on: bool) -> HttpResponse:
        endpoint = self.configured(request, object_id)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            with transaction.atomic():
                if endpoints.switch_on(endpoint) if on else endpoints.switch_off(endpoint, reason):
                    log_action(
                        request, endpoint, gettext("Switched on.") if on else gettext("Switched off."), reason=reason
                    )
            return HttpResponseRedirect(reverse("admin:licenzy_outboundendpoint_change", args=[endpoint.pk]))
        title = _("Switch on") if on else _("Switch off")
        consequence = (
            _("It gets every event again, and those that still wait.")
            if on
            else _("Nothing more is recorded or sent for it; what waits keeps waiting.")
        )
        return self.confirm(request, endpoint, form, title, consequence)

    def confirm(
        self, request: HttpRequest, endpoint: OutboundEndpoint, form: forms.Form, title: Any, consequence: Any
    ) -> HttpResponse:
        back = reverse("admin:licenzy_outboundendpoint_change", args=[endpoint.pk])
        context = {"title": title, "consequence": consequence, "details": [str(endpoint)], "form": form}
        return self.page(request, "admin/licenzy/act.html", {**context, "button": title, "back": back})


@admin.register(OutboundEvent)
class OutboundEventAdmin(LookedUp):
    list_display = ["public_id", "mode", "type", "subject_ref", "created_at"]
    list_filter = ["mode", "type"]
    exact_search_fields = ["public_id", "subject_ref"]
    search_help_text = _("An evt_ id or a subject, pasted as it is.")
    fields = ["public_id", "mode", "type", "subject_ref", "payload", "created_at"]


@admin.register(Delivery)
class DeliveryAdmin(LookedUp):
    list_display = ["event", "mode", "endpoint", "status", "attempts", "last_status", "last_error", "next_try_at"]
    list_filter = ["mode", "status", "endpoint"]
    list_select_related = ["event", "endpoint"]
    exact_search_fields = ["event__public_id", "event__subject_ref"]
    search_help_text = _("An evt_ id or a subject, pasted as it is.")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        tried = ["attempts", "last_status", "last_error", "next_try_at", "created_at", "sent_at"]
        return ["event", "endpoint", "mode", "status", *tried, *(["requeuing"] if may_support(request) else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.get_fields(request, obj)

    @admin.display(description="")
    def requeuing(self, delivery: Delivery) -> SafeString | str:
        event = delivery.event
        subject = Subject.objects.filter(mode=event.mode, subject_ref=event.subject_ref).first()
        if subject is None:
            return ""
        url = reverse("admin:licenzy_subject_act_on", args=[subject.pk, "requeue", delivery.pk])
        words = _("Send again")
        page = _("The subject's page")
        return format_html(
            '<a class="button" href="{}">{}</a> <a href="{}">{}</a>', url, words, page_of(subject.pk), page
        )
