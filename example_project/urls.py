from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path, re_path
from django.views.generic import TemplateView

from example_project import credits, plans, received, views
from licenzy_django.urls import not_found
from licenzy_django.views import CheckoutStateView

urlpatterns = [
    path("", views.pricing, name="pricing"),
    path("checkout/", views.StartCheckout.as_view(), name="start-checkout"),
    path("return/", views.Confirming.as_view(), name="confirming"),
    path("return/state/", CheckoutStateView.as_view(), name="confirming-state"),
    path("members/", views.members, name="members"),
    path("credits/", credits.credits_page, name="credits"),
    path("credits/generate/", credits.generate, name="generate"),
    path("account/", views.account, name="account"),
    path("account/plan/change/", plans.ChangePlan.as_view(), name="change-plan"),
    path("account/plan/cancel/", plans.CancelPlan.as_view(), name="cancel-plan"),
    path("account/plan/keep/", plans.KeepPlan.as_view(), name="keep-plan"),
    path("account/receipts/", plans.Receipts.as_view(), name="receipts"),
    path("account/billing/", views.ManageBilling.as_view(), name="manage-billing"),
    path("sign-up/", views.sign_up, name="sign-up"),
    path("log-in/", LoginView.as_view(), name="login"),
    path("log-out/", LogoutView.as_view(), name="logout"),
    path("v1/", include("licenzy_django.urls")),
    re_path(r"^v1/", not_found),
    path("api/", TemplateView.as_view(template_name="shop/api.html"), name="api"),
    path("admin/", admin.site.urls),
]
if settings.ON_SIMULATOR:
    urlpatterns += [
        path("events/", received.received, name="received"),
        path("events/receive/", received.receive, name="receive-event"),
        path("demo-account/", views.demo_account, name="demo-account"),
        path("simulator/", include("licenzy_django.simulator.urls")),
    ]
handler403 = "example_project.views.members_only"
