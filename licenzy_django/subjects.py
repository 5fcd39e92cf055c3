"""Subjects: who buys and uses. The default of the setting ``SUBJECT`` lives here."""

from licenzy_django.identity import user_subject

__all__ = ["user_subject"]
