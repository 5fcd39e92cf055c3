"""Where Stripe may send a customer back to: only to hosts that the settings name, and to this machine in DEBUG."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from django.conf import settings

from licenzy_django.conf import as_list, licenzy_settings
from licenzy_django.exceptions import InvalidRequest

MAX_LENGTH = 2048
SESSION_TEMPLATE = "{CHECKOUT_SESSION_ID}"


def redirect_url(name: str, given: str, default: str) -> str:
    """The caller's URL if its host is allowed, or the settings' own.

    Args:
        name: the field, for the error.
        given: an absolute URL, or empty.
        default: the setting behind it, trusted as it is.

    Raises InvalidRequest.
    """
    if not given:
        if not default:
            raise refusal(name, "This is required, since the settings name no default.")
        return default
    if len(given) > MAX_LENGTH or any(character == " " or not character.isprintable() for character in given):
        raise refusal(name, "This is not a URL.")
    try:
        parts = urlsplit(given)
        host = parts.netloc.rpartition("@")[2].lower()
        is_plain = "@" not in parts.netloc and "\\" not in given and parts.port != 0
    except ValueError:
        raise refusal(name, "This is not a URL.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
        raise refusal(name, "This must be an absolute http or https URL.")
    allowed = {allowed.lower() for allowed in as_list(licenzy_settings().ALLOWED_REDIRECT_HOSTS)}
    if host not in allowed and not is_this_machine(parts.hostname):
        raise refusal(name, "This host is not allowed; see ALLOWED_REDIRECT_HOSTS.")
    return given


def is_this_machine(hostname: str) -> bool:
    """While ``DEBUG`` is on this machine is allowed at any port, as Django's ``ALLOWED_HOSTS`` allows it."""
    return settings.DEBUG and (hostname in ("localhost", "127.0.0.1", "::1") or hostname.endswith(".localhost"))


def refusal(name: str, problem: str) -> InvalidRequest:
    return InvalidRequest(f"{name}: {problem}", fields={name: [problem]})


def with_session(url: str) -> str:
    """Stripe puts the session's id in the place of the template, which must stay as it is."""
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, f"session_id={SESSION_TEMPLATE}") if part)
    return urlunsplit(parts._replace(query=query))
