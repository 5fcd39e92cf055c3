"""Products from and to JSON, so that a catalog can live in version control."""

from licenzy_django.catalog.entries import CatalogError, dump
from licenzy_django.catalog.loading import load
from licenzy_django.catalog.verification import misfits

__all__ = ["CatalogError", "dump", "load", "misfits"]
