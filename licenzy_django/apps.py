from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LicenzyConfig(AppConfig):
    name = "licenzy_django"
    label = "licenzy"
    verbose_name = _("Licenzy: billing and access")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from licenzy_django import checks  # noqa: F401
