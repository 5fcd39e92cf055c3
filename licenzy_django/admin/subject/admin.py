from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from licenzy_django.admin.audit_log import ReasonForm
from licenzy_django.admin.base import LookedUp
from licenzy_django.admin.links import page_of
from licenzy_django.admin.permissions import may_support
from licenzy_django.admin.subject.actions import ACTIONS, Action, ActionFailed
from licenzy_django.admin.subject.actions.base import ShowFirst, Words
from licenzy_django.admin.subject.page import page_context
from licenzy_django.admin.subject.search import subjects_with
from licenzy_django.db.text import storable
from licenzy_django.exceptions import InvalidRequest, LicenzyError
from licenzy_django.identity import validate_subject_ref
from licenzy_django.models import Subject


class SubjectForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Subject
        fields = ["mode", "subject_ref"]

    def clean_subject_ref(self) -> str:
        try:
            return validate_subject_ref(self.cleaned_data["subject_ref"])
        except InvalidRequest as error:
            raise ValidationError(error.extra["fields"]["subject_ref"]) from error


@admin.register(Subject)
class SubjectAdmin(LookedUp):
    """The list is the search box; each subject has a page that explains it, and the operator's actions."""

    form = SubjectForm
    list_display = ["subject_ref", "mode", "stripe_customer_id", "created_at"]
    list_filter = ["mode"]
    exact_search_fields = ["subject_ref"]
    search_help_text = _(
        "Paste anything: a subject, a Stripe customer, session, subscription, payment, charge, invoice, refund, "
        "dispute or event, or an att_, ent_, res_ or evt_ id."
    )
    change_list_template = "admin/licenzy/subject/list.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip().replace("\x00", "")
        return (queryset.filter(pk__in=subjects_with(term)) if term else queryset), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """So that something can be granted to somebody who never bought."""
        return may_support(request)

    def response_add(self, request: HttpRequest, obj: Subject, post_url_continue: str | None = None) -> HttpResponse:
        return HttpResponseRedirect(page_of(obj.pk))

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(self.act_view)
        return [
            path("<int:subject_pk>/do/<slug:slug>/", act, name="licenzy_subject_act"),
            path("<int:subject_pk>/do/<slug:slug>/<str:target>/", act, name="licenzy_subject_act_on"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """A search that finds one subject opens its page."""
        term = request.GET.get("q", "").strip().replace("\x00", "")
        if term and self.has_view_permission(request) and len(found := subjects_with(term)) == 1:
            return HttpResponseRedirect(page_of(found.pop()))
        return super().changelist_view(request, {"title": _("Find a subject"), **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The subject's page. Only looks, whatever it is sent."""
        subject = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, subject) or request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        if subject is None:
            raise Http404
        context = {"title": subject.subject_ref, **page_context(request, subject)}
        return self.page(request, "admin/licenzy/subject/page.html", context)

    @method_decorator(never_cache)
    @method_decorator(transaction.non_atomic_requests)  # some actions ask Stripe
    def act_view(self, request: HttpRequest, subject_pk: int, slug: str, target: str = "") -> HttpResponse:
        """Ask why, then do it, once."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        action = ACTIONS.get(slug)
        subject = Subject.objects.filter(pk=subject_pk).first()
        if action is None or subject is None or storable(target) != target:
            raise Http404
        if not action.is_permitted(request):
            raise PermissionDenied
        row = action.find(subject, target)
        form = action.form_for(subject, row, request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            shown = self.show_first(action, subject, row, form)
            if shown is not None:
                return self.answer(request, action, subject, shown.lines, shown.form)
            if form.is_valid() and self.do(request, action, subject, row, form):
                return HttpResponseRedirect(page_of(subject.pk))
        return self.ask(request, action, subject, row, form)

    def show_first(self, action: Action, subject: Subject, row: Any, form: ReasonForm) -> ShowFirst | None:
        """What has to be confirmed; a refusal goes onto the form."""
        try:
            return action.show_first(subject, row, form)
        except LicenzyError as refused:
            put_onto(form, refused)
            return None

    def do(self, request: HttpRequest, action: Action, subject: Subject, row: Any, form: ReasonForm) -> bool:
        """Whether the verb has answered; a refusal of it goes onto the form, to be put right."""
        try:
            messages.success(request, action.act(request, subject, row, form.cleaned_data))
        except ActionFailed as failed:
            messages.error(request, str(failed))
        except LicenzyError as refused:
            put_onto(form, refused)
            return False
        return True

    def ask(self, request: HttpRequest, action: Action, subject: Subject, row: Any, form: ReasonForm) -> HttpResponse:
        try:
            consequences = action.consequences(subject, row)
        except LicenzyError as refused:
            messages.error(request, refused.message)
            return HttpResponseRedirect(page_of(subject.pk))
        return self.answer(request, action, subject, consequences, form)

    def answer(
        self, request: HttpRequest, action: Action, subject: Subject, lines: Sequence[Words], form: ReasonForm
    ) -> HttpResponse:
        context = {
            "title": action.title,
            "subject": subject,
            "consequence": lines[0] if lines else "",
            "details": lines[1:],
            "form": form,
            "button": action.button,
            "is_dangerous": action.is_dangerous,
            "back": page_of(subject.pk),
        }
        return self.page(request, "admin/licenzy/act.html", context)


def put_onto(form: ReasonForm, refused: LicenzyError) -> None:
    for name, problems in refused.extra.get("fields", {"": [refused.message]}).items():
        form.add_error(name if name in form.fields else None, problems)
