from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("v1/", include("licenzy_django.urls")),
    path("admin/", admin.site.urls),
    path("simulator/", include("licenzy_django.simulator.urls")),
]
