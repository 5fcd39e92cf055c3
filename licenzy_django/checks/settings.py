"""The LICENZY dict itself: its keys, their types, and the code that they name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import MISSING, fields
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.utils.module_loading import import_string

from licenzy_django.conf import SETTING_NAMES, TRIALS, LicenzySettings, licenzy_settings
from licenzy_django.models import Mode

# What a setting may be, by the type of its default. Two read as English in a message.
KINDS: dict[type, tuple[str, tuple[type, ...]]] = {
    str: ("a text", (str,)),
    bool: ("True or False", (bool,)),
    int: ("a whole number", (int,)),
    float: ("a number", (int, float)),
    tuple: ("a list of texts", (list, tuple, set, frozenset)),
    dict: ("a dict", (dict,)),
}
NUMBERS = ("a list of whole numbers", (list, tuple))
DOTTED_PATHS = ("SUBJECT", "CHECKOUT_PARAMS", "CLOCK", "STRIPE_HTTP_CLIENT")


def are_readable() -> bool:
    """Whether the other checks can rely on names and types; if not, these say what is wrong."""
    return not check_setting_names() and not check_setting_types()


@register("licenzy", Tags.compatibility)
def check_setting_names(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    given = getattr(settings, "LICENZY", {})
    if not isinstance(given, dict):
        return [Error("LICENZY must be a dict.", hint="LICENZY = {…} in your settings.", id="licenzy.E001")]
    return [
        Error(
            f"LICENZY has a key {name!r} that does not exist.",
            hint=f"The keys are: {', '.join(sorted(SETTING_NAMES))}.",
            id="licenzy.E001",
        )
        for name in sorted(map(str, given.keys() - SETTING_NAMES))
    ]


@register("licenzy", Tags.compatibility)
def check_setting_types(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Never shows a value: it may be a secret."""
    if check_setting_names():
        return []
    given = getattr(settings, "LICENZY", {})
    return [
        Error(
            f"LICENZY[{known.name!r}] is not {expected}.",
            hint=f"It is a {type(given[known.name]).__name__}.",
            id="licenzy.E009",
        )
        for known in fields(LicenzySettings)
        if known.name in given and (expected := wrong_kind(known, given[known.name]))
    ]


def wrong_kind(known: Any, value: Any) -> str:
    """What the setting has to be, if the value is something else; a text otherwise empty.

    None stands for an empty value, as ``os.environ.get`` gives it. One text in place of a list is a list of one.
    """
    default = known.default if known.default is not MISSING else known.default_factory()
    holds_numbers = isinstance(default, tuple) and any(isinstance(each, int) for each in default)
    words, allowed = NUMBERS if holds_numbers else KINDS.get(type(default), ("", (object,)))
    is_right = isinstance(value, allowed) and (isinstance(default, bool) or not isinstance(value, bool))
    if value is None:
        return words if default else ""
    if known.name in ("SUBJECT", "CHECKOUT_PARAMS") and callable(value):
        return ""
    if isinstance(value, (list, tuple, set, frozenset)):
        is_right = is_right and all(type(each) is int if holds_numbers else isinstance(each, str) for each in value)
    if isinstance(default, tuple) and not holds_numbers and isinstance(value, str):
        is_right = True
    return "" if is_right else words


@register("licenzy", Tags.compatibility)
def check_mode(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not are_readable() or licenzy_settings().MODE in Mode.values:
        return []
    return [
        Error(
            "LICENZY['MODE'] is neither 'test' nor 'live': nobody would have access.",
            hint="It is the mode of in-process checks.",
            id="licenzy.E006",
        )
    ]


@register("licenzy", Tags.compatibility)
def check_time_zones(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if settings.USE_TZ:
        return []
    return [Error("licenzy_django keeps its times in UTC and needs USE_TZ.", hint="USE_TZ = True", id="licenzy.E008")]


@register("licenzy", Tags.compatibility)
def check_leeway(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not are_readable() or licenzy_settings().RENEWAL_LEEWAY_HOURS >= 0:
        return []
    return [
        Error(
            "LICENZY['RENEWAL_LEEWAY_HOURS'] is negative: subscriptions would end before what was paid for.",
            hint="0 or more; the default is 24.",
            id="licenzy.E011",
        )
    ]


@register("licenzy", Tags.compatibility)
def check_trials(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not are_readable() or licenzy_settings().TRIALS in TRIALS:
        return []
    return [
        Error(
            f"LICENZY['TRIALS'] is {licenzy_settings().TRIALS!r}, which counts as 'once'.",
            hint=f"One of {', '.join(TRIALS)}.",
            id="licenzy.E014",
        )
    ]


@register("licenzy", Tags.compatibility)
def check_dotted_paths(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    return list(unimportable()) if are_readable() else []


def unimportable() -> Iterator[CheckMessage]:
    for name in DOTTED_PATHS:
        path = getattr(licenzy_settings(), name)
        if not path or not isinstance(path, str):
            continue
        try:
            problem = "" if callable(import_string(path)) else "it is not callable"
        except Exception as error:  # noqa: BLE001 - importing runs the host's code, which may raise anything
            problem = f"{type(error).__name__}: {error}"
        if problem:
            yield Error(
                f"LICENZY[{name!r}] cannot be used: {problem}.",
                hint=f"{path!r} has to be the dotted path of a callable: 'package.module.name'.",
                id="licenzy.E010",
            )
