"""The shape of a value, as Stripe's API reference gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from licenzy_django.db.text import storable

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def refusal(self, value: Any) -> Text:
        return "" if isinstance(value, bool) else _("This is true or false.")


@dataclass(frozen=True, slots=True)
class Words:
    """A text. An empty one, where it is allowed, takes out what was set before.

    Attributes:
        most: how many characters it may have.
        least: how many it must have.
        without: characters that it must not have.
    """

    most: int
    least: int = 0
    without: str = ""
    is_alphanumeric: bool = False

    def refusal(self, value: Any) -> Text:
        if not isinstance(value, (str, Promise)):
            return _("This is a text.")
        text = str(value)
        if storable(text) != text:
            return _("It has a character that cannot be stored.")
        if not self.least <= len(text) <= self.most:
            return _("It has %(least)s to %(most)s characters.") % {"least": self.least, "most": self.most}
        if found := sorted(set(text) & set(self.without)):
            return _("It may not have %(characters)s.") % {"characters": " ".join(found)}
        if self.is_alphanumeric and not (text.isascii() and text.isalnum()):
            return _("It has letters and digits only.")
        return ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    values: tuple[str, ...]

    def refusal(self, value: Any) -> Text:
        if isinstance(value, str) and value in self.values:
            return ""
        return _("This is one of: %(values)s.") % {"values": ", ".join(self.values)}


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number."""

    least: int
    most: int

    def refusal(self, value: Any) -> Text:
        if type(value) is int and self.least <= value <= self.most:
            return ""
        return _("This is a whole number from %(least)s to %(most)s.") % {"least": self.least, "most": self.most}


@dataclass(frozen=True, slots=True)
class Fields:
    """An object. What it has besides is ours, refused, or unknown to Stripe."""

    fields: Mapping[str, Any]
    required: tuple[str, ...] = ()

    def refusal(self, value: Any) -> Text:
        return "" if isinstance(value, Mapping) else _("This is an object.")


@dataclass(frozen=True, slots=True)
class Several:
    """A list."""

    each: Any
    most: int

    def refusal(self, value: Any) -> Text:
        if not isinstance(value, (list, tuple)):
            return _("This is a list.")
        return "" if len(value) <= self.most else _("It has at most %(most)s entries.") % {"most": self.most}


def one_of(*values: str) -> Choice:
    return Choice(values)


def fields(*required: str, **given: Any) -> Fields:
    return Fields(given, required)
