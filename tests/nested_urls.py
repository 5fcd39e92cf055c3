from django.urls import include, path

urlpatterns = [path("", include(([path("v1/", include("licenzy_django.urls"))], "company")))]
