from __future__ import annotations

import hashlib

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from licenzy_django import clock
from licenzy_django.models.base import Mode, mode_check, mode_field, random_text

PREFIX_LENGTH = len("lz_test_") + 8


def digest_of(key: str) -> str:
    """The SHA-256 by which a key is found. A random 256-bit key needs no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


class ApiKeyManager(models.Manager["ApiKey"]):
    def issue(self, mode: str, name: str, *, request_id: str = "") -> tuple[ApiKey, str]:
        """Make a key; the second of the pair is the key itself, which nobody can read again.

        Raises IntegrityError if ``request_id`` has made a key before.
        """
        key = f"lz_{Mode(mode).value}_{random_text(43)}"
        row = self.create(
            mode=mode,
            name=name,
            prefix=key[:PREFIX_LENGTH],
            last_four=key[-4:],
            digest=digest_of(key),
            request_id=request_id,
        )
        return row, key


class ApiKey(models.Model):
    """A server's credential for ``/v1``. Only its digest is stored."""

    mode = mode_field()
    name = models.CharField(_("name"), max_length=100, help_text=_("Which system uses it."))
    prefix = models.CharField(_("prefix"), max_length=20, editable=False)
    last_four = models.CharField(_("last four"), max_length=4, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)
    last_used_at = models.DateTimeField(
        _("last used at"), null=True, blank=True, editable=False, help_text=_("Accurate to an hour.")
    )
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)
    request_id = models.CharField(max_length=40, blank=True, default="", editable=False)

    objects = ApiKeyManager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="licenzy_api_key_digest"),
            models.UniqueConstraint(
                fields=["request_id", "mode"], condition=~Q(request_id=""), name="licenzy_api_key_once"
            ),
            mode_check("licenzy_api_key_mode"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…{self.last_four})"

    def revoke(self) -> bool:
        """Refuse it from now on. A second call changes nothing, and says so."""
        changed = ApiKey.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=clock.now())
        self.refresh_from_db(fields=["revoked_at"])
        return bool(changed)
