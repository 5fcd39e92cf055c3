from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext_lazy as _

from licenzy_django.db.text import storable

DEEPEST = 20


class TypedJSONField(forms.JSONField):
    """JSON as a person types it: refused at the field where no database can hold it, and shown again as it was typed.

    Django's own field lets a nesting without an end, a number without an end and half a character through to a crash.
    """

    def to_python(self, value: Any) -> Any:
        try:
            found = super().to_python(value)
            can_be_kept = is_storable(found)
        except (RecursionError, ValueError) as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error
        if not can_be_kept:
            raise ValidationError(_("It has a character that cannot be stored."))
        return found

    def bound_data(self, data: Any, initial: Any) -> Any:
        if self.disabled:
            return initial
        return None if data is None else InvalidJSONInput(data)


def is_storable(value: Any, *, levels: int = DEEPEST) -> bool:
    """Whether every text in it can be stored. Raises RecursionError where it has more levels than that."""
    if not levels:
        raise RecursionError
    if isinstance(value, str):
        return storable(value) == value
    if not isinstance(value, dict | list):
        return True
    inside = [*value, *value.values()] if isinstance(value, dict) else value
    return all(is_storable(part, levels=levels - 1) for part in inside)
