"""Which product a code names."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from licenzy_django.db.text import storable
from licenzy_django.exceptions import ProductNotFound
from licenzy_django.models import Product
from licenzy_django.models.priced import FOR_SALE


def product_named(code: Any, mode: str, *, is_for_sale: bool = True) -> Product:
    """A host may take the code from a form: what no database can hold is no product either.

    Args:
        is_for_sale: whether only a product counts that a checkout can be started for.

    Raises ProductNotFound.
    """
    which = FOR_SALE if is_for_sale else Q()
    known = Product.objects.filter(which, mode=mode, code=storable(code)).first() if isinstance(code, str) else None
    if known is None or known.code != code:
        raise ProductNotFound()
    return known
