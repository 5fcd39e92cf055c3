"""Secrets that have to be readable again, encrypted at rest with the host's own keys (the extra ``encryption``).

Without ``LICENZY["ENCRYPTION_KEYS"]`` they are kept in clear. A text that was written so before stays readable.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured

from licenzy_django.conf import as_list, licenzy_settings

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

# Nothing that we encrypt begins so: secrets begin with whsec_.
MARK = "fernet:"


def is_installed() -> bool:
    return find_spec("cryptography") is not None


def seal(text: str) -> str:
    """The text as it is stored. What is sealed already stays as it is."""
    if not text or text.startswith(MARK) or not as_list(licenzy_settings().ENCRYPTION_KEYS):
        return text
    return MARK + fernet().encrypt(text.encode()).decode()


def unseal(stored: str) -> str:
    """The text itself. Raises ImproperlyConfigured where the key that sealed it is not among the settings' any more."""
    if not stored.startswith(MARK):
        return stored
    if not as_list(licenzy_settings().ENCRYPTION_KEYS):
        raise ImproperlyConfigured("A secret is encrypted, and LICENZY['ENCRYPTION_KEYS'] is empty.")
    from cryptography.fernet import InvalidToken

    try:
        return fernet().decrypt(stored.removeprefix(MARK)).decode()
    except InvalidToken:
        raise ImproperlyConfigured("No key of LICENZY['ENCRYPTION_KEYS'] opens a secret.") from None


def reseal(stored: str) -> str:
    """Sealed with the first key, whatever sealed it before. Raises ImproperlyConfigured."""
    return seal(unseal(stored))


def fernet() -> MultiFernet:
    """The first key seals, all of them open. Raises ImproperlyConfigured."""
    try:
        from cryptography.fernet import Fernet, MultiFernet
    except ImportError:
        raise ImproperlyConfigured("ENCRYPTION_KEYS needs: pip install 'licenzy-django[encryption]'") from None
    try:
        return MultiFernet([Fernet(key) for key in as_list(licenzy_settings().ENCRYPTION_KEYS)])
    except ValueError:
        raise ImproperlyConfigured("LICENZY['ENCRYPTION_KEYS'] has a text that is no key of Fernet.") from None
