"""What all our pages in the admin share: read-only unless said otherwise, exact search, few queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.core.exceptions import BadRequest
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from licenzy_django.admin.permissions import may_configure, may_look

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
else:
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline


# What Django's own list filters and its date hierarchy ask of a field that they are for.
FILTER_LOOKUPS = frozenset(
    {"", "exact", "isnull", "isempty", "id__exact", "pk__exact", "gte", "lt", "year", "month", "day"}
)


class LookedUp(ModelAdmin):
    """A page to look at. Nothing is added, changed or deleted by hand: the verbs do that.

    What is hidden is hidden from questions too: a query string asks of a field only where a list filter, the date
    hierarchy or the search does. Django itself allows any question about any column (``?secret__regex=^whsec_a``).

    ``exact_search_fields``: a search compares these with the whole text, pasted as it is, so that an index answers.
    """

    exact_search_fields: list[str] = []
    search_help_text = _("A whole id, pasted as it is.")
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200
    actions: Sequence[Any] | None = None
    view_on_site = False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        asked_of = [name for name in self.filtered_fields(request) if lookup == name or lookup.startswith(f"{name}__")]
        return any(lookup[len(name) :].removeprefix("__") in FILTER_LOOKUPS for name in asked_of)

    def filtered_fields(self, request: HttpRequest | None) -> Iterator[str]:
        filters: Any = self.list_filter if request is None else self.get_list_filter(request)
        for each in filters:
            yield getattr(each, "parameter_name", None) or (each[0] if isinstance(each, tuple) else each)
        if self.date_hierarchy:
            yield self.date_hierarchy

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The admin shows the whole list again for a filter that makes no sense; numbers beyond all bounds too."""
        try:
            return super().get_changelist_instance(request)
        except OverflowError as error:
            raise IncorrectLookupParameters(str(error)) from error

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        # The search form refuses the character by itself.
        asked = [(name, values) for name, values in request.GET.lists() if name != SEARCH_VAR]
        if any("\x00" in value for name, values in asked for value in [name, *values]):
            raise BadRequest("No query of ours has such a character.")
        return super().changelist_view(request, extra_context)

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
