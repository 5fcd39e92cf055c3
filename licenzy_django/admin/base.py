"""What all our pages in the admin share: read-only unless said otherwise, exact search, few queries."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from licenzy_django.admin.permissions import may_configure, may_look

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
else:
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline


class LookedUp(ModelAdmin):
    """A page to look at. Nothing is added, changed or deleted by hand: the verbs do that.

    ``exact_search_fields``: a search compares these with the whole text, pasted as it is, so that an index answers.
    """

    exact_search_fields: list[str] = []
    search_help_text = _("A whole id, pasted as it is.")
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200
    actions: Sequence[Any] | None = None
    view_on_site = False

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return self.exact_search_fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip().replace("\x00", "")
        if not term:
            return queryset, False
        return queryset.filter(reduce(or_, (Q(**{name: term}) for name in self.exact_search_fields))), False

    def page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
        """A page of our own, within the admin."""
        context = {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media, **context}
        return TemplateResponse(request, template, context)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may_look(request) or super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_look(request) or super().has_module_permission(request)


class Configured(LookedUp):
    """A page for those who configure. Nothing is deleted: what was sold or signed keeps its row."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_configure(request) or ModelAdmin.has_add_permission(self, request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may_configure(request) or ModelAdmin.has_change_permission(self, request, obj)
