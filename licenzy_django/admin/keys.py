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
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from licenzy_django.admin.audit_log import ReasonForm, log_action, new_request_id
from licenzy_django.admin.base import Configured
from licenzy_django.models import ApiKey, Mode


class NewKeyForm(forms.Form):
    mode = forms.ChoiceField(label=_("Mode"), choices=Mode.choices)
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Which system uses it."))
    request_id = forms.CharField(widget=forms.HiddenInput, max_length=40)


@admin.register(ApiKey)
class ApiKeyAdmin(Configured):
    """A key is made, shown once, and revoked. It is never edited and never deleted."""

    list_display = ["name", "mode", "visible", "created_at", "last_used_at", "state"]
    list_filter = ["mode", ("revoked_at", admin.EmptyFieldListFilter)]
    exact_search_fields = ["prefix", "last_four", "name"]
    search_help_text = _("A key's prefix, its last four characters or its name, pasted as it is.")
    readonly_fields = ["visible", "revoking"]

    @admin.display(description=_("key"))
    def visible(self, key: ApiKey) -> str:
        return f"{key.prefix}…{key.last_four}"

    @admin.display(description=_("state"), boolean=True)
    def state(self, key: ApiKey) -> bool:
        return key.revoked_at is None

    @admin.display(description="")
    def revoking(self, key: ApiKey) -> SafeString | str:
        if key.revoked_at is not None:
            return ""
        url = reverse("admin:licenzy_apikey_revoke", args=[key.pk])
        return format_html('<a class="button" href="{}">{}</a>', url, _("Revoke this key"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        shown = ["name", "mode", "visible", "created_at", "last_used_at", "revoked_at"]
        return [*shown, "revoking"] if self.has_add_permission(request) else shown

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        revoke = path(
            "<path:object_id>/revoke/", self.admin_site.admin_view(self.revoke_view), name="licenzy_apikey_revoke"
        )
        return [revoke, *super().get_urls()]

    @method_decorator(never_cache)
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else None
        form = NewKeyForm(given, initial={"request_id": new_request_id()})
        if given is not None and form.is_valid():
            return self.create(request, **form.cleaned_data)
        context = {"form": form, "title": _("Create an API key"), "button": _("Create the key")}
        return self.page(request, "admin/licenzy/act.html", context)

    def create(self, request: HttpRequest, mode: str, name: str, request_id: str) -> HttpResponse:
        """The answer to the first sending of a form shows the key; there is no second."""
        try:
            with transaction.atomic():
                row, key = ApiKey.objects.issue(mode, name, request_id=request_id)
                log_action(request, row, _("Created."), is_new=True)
        except IntegrityError:
            messages.warning(request, _("This form was sent before: its key exists and is not shown again."))
            return HttpResponseRedirect(reverse("admin:licenzy_apikey_changelist"))
        return self.page(request, "admin/licenzy/secret.html", {"title": row.name, "secret": key, "is_key": True})

    @method_decorator(never_cache)
    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            with transaction.atomic():
                if row.revoke():
                    log_action(request, row, _("Revoked."), reason=form.cleaned_data["reason"])
            messages.success(request, _("%(key)s is revoked.") % {"key": row})
            return HttpResponseRedirect(reverse("admin:licenzy_apikey_changelist"))
        context = {
            "form": form,
            "title": _("Revoke %(key)s?") % {"key": row},
            "consequence": _("Every request with this key is refused from now on. This cannot be undone."),
            "button": _("Revoke"),
            "is_dangerous": True,
            "back": reverse("admin:licenzy_apikey_change", args=[row.pk]),
        }
        return self.page(request, "admin/licenzy/act.html", context)
