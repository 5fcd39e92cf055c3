"""A host with one gate of each kind."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from rest_framework.decorators import action, api_view
from rest_framework.permissions import AllowAny, BasePermission, IsAdminUser, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from licenzy_django import access
from licenzy_django.decorators import requires_entitlement
from licenzy_django.mixins import EntitlementRequiredMixin
from licenzy_django.permissions import HasEntitlement
from licenzy_django.views import BillingPortalView, CheckoutReturnView, CheckoutStateView, StartCheckoutView


class Page(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("in")


class AsyncPage(View):
    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("in")


class ApiPage(APIView):
    def get(self, request: Any) -> Response:
        return Response("in")


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("in")


async def async_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("in")


@api_view(["GET"])
@requires_entitlement("PRO_MONTHLY")
def api_function(request: Any) -> Response:
    return Response("in")


@requires_entitlement("PRO_MONTHLY")
class DecoratedPage(Page):
    pass


@requires_entitlement("PRO_MONTHLY")
class DecoratedAsyncPage(AsyncPage):
    pass


@requires_entitlement("PRO_MONTHLY")
class DecoratedApi(ApiPage):
    pass


@method_decorator(requires_entitlement("PRO_MONTHLY"), name="dispatch")
class MethodDecoratedPage(Page):
    pass


@method_decorator(requires_entitlement("PRO_MONTHLY"), name="dispatch")
class MethodDecoratedAsyncPage(AsyncPage):
    pass


@requires_entitlement("PRO_MONTHLY")
@api_view(["GET", "POST"])
def api_function_gated_above(request: Any) -> Response:
    return Response("in")


@requires_entitlement("PRO_MONTHLY")
class DecoratedSet(ViewSet):
    @action(detail=False, permission_classes=[AllowAny])
    def report(self, request: Any) -> Response:
        return Response("in")


class PlainSet(ViewSet):
    def list(self, request: Any) -> Response:
        return Response("in")


class MixedPage(EntitlementRequiredMixin, Page):
    product_codes = ("PRO_MONTHLY",)


class MixedAsyncPage(EntitlementRequiredMixin, AsyncPage):
    product_codes = "PRO_MONTHLY"


class MixedApi(EntitlementRequiredMixin, ApiPage):
    product_codes = ("PRO_MONTHLY",)


class MixedUpgrade(EntitlementRequiredMixin, Page):
    def upgrade_url(self, request: HttpRequest) -> str:  # type: ignore[override]
        return f"/prices/?from={request.path}"


class HasNewsletter(BasePermission):
    def has_permission(self, request: Any, view: Any) -> bool:
        return "newsletter" in request.headers


class PermittedApi(ApiPage):
    permission_classes = [HasEntitlement.of("PRO_MONTHLY")]


class LoggedInApi(ApiPage):
    permission_classes = [IsAuthenticated, HasEntitlement.of("PRO_MONTHLY")]


class LoggedInAndPermittedApi(ApiPage):
    permission_classes = [IsAuthenticated & HasEntitlement.of("PRO_MONTHLY")]


class TwicePermittedApi(ApiPage):
    permission_classes = [HasEntitlement & HasEntitlement.of("PRO_MONTHLY")]


class RequiringApi(ApiPage):
    def get(self, request: Any) -> Response:
        access.require(request, "PRO_MONTHLY")
        return super().get(request)


class StaffOrPaid(ApiPage):
    permission_classes = [HasEntitlement.of("PRO_MONTHLY") | IsAdminUser]


class StaffOrPaidToo(ApiPage):
    permission_classes = [IsAdminUser | HasEntitlement]


class AnyOfThree(ApiPage):
    permission_classes = [HasEntitlement | IsAdminUser | HasNewsletter]


class Unentitled(ApiPage):
    permission_classes = [~HasEntitlement]


pro = requires_entitlement("PRO_MONTHLY")
GATES = {
    "function": pro(page),
    "async-function": pro(async_page),
    "decorated-class": DecoratedPage.as_view(),
    "decorated-async-class": DecoratedAsyncPage.as_view(),
    "method-decorated": MethodDecoratedPage.as_view(),
    "method-decorated-async": MethodDecoratedAsyncPage.as_view(),
    "as-view": pro(Page.as_view()),
    "mixin": MixedPage.as_view(),
    "async-mixin": MixedAsyncPage.as_view(),
}
API_GATES = {
    "api-function": api_function,
    "api-function-gated-above": api_function_gated_above,
    "api-as-view": pro(ApiPage.as_view()),
    "api-as-view-with-permissions": pro(ApiPage.as_view(permission_classes=[AllowAny])),
    "api-viewset": pro(PlainSet.as_view({"get": "list"})),
    "api-action": DecoratedSet.as_view({"get": "report"}, **DecoratedSet.report.kwargs),
    "api-decorated": DecoratedApi.as_view(),
    "api-mixin": MixedApi.as_view(),
    "api-permission": PermittedApi.as_view(),
    "api-permitted-twice": TwicePermittedApi.as_view(),
    "api-requiring": RequiringApi.as_view(),
    "api-staff-or-permitted": StaffOrPaid.as_view(),
    "api-logged-in": LoggedInApi.as_view(),
    "api-logged-in-and-permitted": LoggedInAndPermittedApi.as_view(),
}
urlpatterns = [
    *(path(f"{name}/", gate) for name, gate in (GATES | API_GATES).items()),
    path("open-api/", ApiPage.as_view()),
    path("cached/", never_cache(pro(never_cache(ApiPage.as_view())))),
    path("any/", requires_entitlement(page)),
    path("either/", requires_entitlement("PRO_MONTHLY", "PRO_YEARLY")(page)),
    path("feature/", requires_entitlement(feature="export")(page)),
    path("upgrade-by-name/", requires_entitlement(upgrade_url="prices")(page)),
    path("upgrade-by-path/", requires_entitlement(upgrade_url="/prices/?plan=pro")(page)),
    path("upgrade-by-callable/", requires_entitlement(upgrade_url=lambda request: f"/for{request.path}")(page)),
    path("upgrade-async/", requires_entitlement(upgrade_url="prices")(async_page)),
    path("upgrade-mixin/", MixedUpgrade.as_view()),
    path("login-first/", login_required(pro(page))),
    path("staff-or-paid-too/", StaffOrPaidToo.as_view()),
    path("any-of-three/", AnyOfThree.as_view()),
    path("unentitled/", Unentitled.as_view()),
    path("prices/", page, name="prices"),
    path("account/", page, name="account"),
    path("log-in/", page, name="login"),
    path("buy/", StartCheckoutView.as_view(success_url="return", cancel_url="prices"), name="buy"),
    path("return/", CheckoutReturnView.as_view(state_url="state"), name="return"),
    path("return/state/", CheckoutStateView.as_view(), name="state"),
    path("billing/", BillingPortalView.as_view(return_url="account"), name="billing"),
    path("v1/", include("licenzy_django.urls")),
]
