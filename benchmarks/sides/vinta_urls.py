from vinta_billing.routing import get_extra_patterns

urlpatterns = get_extra_patterns()
