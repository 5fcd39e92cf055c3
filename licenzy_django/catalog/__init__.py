"""Products from and to JSON, so that a catalog can live in version control; and their prices at Stripe."""

from licenzy_django.catalog.entries import CatalogError, dump
from licenzy_django.catalog.loading import load
from licenzy_django.catalog.pull import Pulled, pull
from licenzy_django.catalog.push import Step, carry_out, push_plan
from licenzy_django.catalog.verification import Verdict, misfits, verdicts

__all__ = [
    "CatalogError",
    "Pulled",
    "Step",
    "Verdict",
    "carry_out",
    "dump",
    "load",
    "misfits",
    "pull",
    "push_plan",
    "verdicts",
]
