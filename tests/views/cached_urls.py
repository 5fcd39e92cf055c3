"""The gates of a host that caches around each of them."""

from django.http import HttpRequest, HttpResponse
from django.template import RequestContext, Template
from django.urls import include, path
from django.views.decorators.cache import cache_page

from tests.views import urls


def template_page(request: HttpRequest) -> HttpResponse:
    text = "{% load licenzy %}{{ request|has_access }} {{ request|units_left }}"
    return HttpResponse(Template(text).render(RequestContext(request)))


urlpatterns = [
    *(path(f"{name}/", cache_page(60)(gate)) for name, gate in (urls.GATES | urls.API_GATES).items()),
    path("either-of-two/", cache_page(60)(urls.StaffOrPaid.as_view())),
    path("template/", cache_page(60)(template_page)),
    path("upgrade/", cache_page(60)(urls.requires_entitlement(upgrade_url="/prices/")(urls.page))),
    path("page/", cache_page(60)(urls.page)),
    path("v1/", include("licenzy_django.urls")),
]
