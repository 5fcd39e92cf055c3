from django.urls import include, path

urlpatterns = [path("billing/api/", include("licenzy_django.urls"))]
