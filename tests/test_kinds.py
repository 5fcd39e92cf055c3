"""A kind of product is one row of a table: forms, catalog, constraint and API follow from it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from licenzy_django import catalog
from licenzy_django.admin.products import ProductForm
from licenzy_django.models import Kind, Product
from licenzy_django.models.kinds import RULES, TERMS, kinds_that

every_kind = pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.value)
COLUMNS: dict[str, Any] = {"mode": "test", "code": "THING", "name": "Thing", "stripe_price_id": "price_1"}


def least_terms(kind: Kind) -> dict[str, int | None]:
    return TERMS | dict.fromkeys(kind.rules.needs, 1)


def form_with(kind: Kind, terms: dict[str, int | None]) -> ProductForm:
    typed = {name: "" if value is None else value for name, value in terms.items()}
    return ProductForm({**COLUMNS, "kind": kind.value, **typed})


def test_every_kind_has_its_rules_and_its_label() -> None:
    assert list(RULES) == list(Kind)
    assert all(kind.label and kind.rules.heading and kind.rules.description and kind.rules.gives for kind in Kind)


@every_kind
def test_the_terms_of_a_kind_are_columns_of_a_product(kind: Kind) -> None:
    assert set(kind.rules.terms) <= TERMS.keys() <= {field.name for field in Product._meta.get_fields()}
    assert not kind.rules.days_term or kind.rules.days_term in kind.rules.terms


@every_kind
@pytest.mark.django_db
def test_the_database_takes_what_fits_a_kind_and_nothing_else(kind: Kind) -> None:
    for values in itertools.product([None, 0, 1], repeat=len(TERMS)):
        terms = dict(zip(TERMS, values, strict=True))
        if terms["grace_days"] is None:
            continue
        fits = (
            all(terms[name] == 1 for name in kind.rules.needs)
            and all(terms[name] in (TERMS[name], 1) for name in kind.rules.may_have)
            and all(terms[name] == TERMS[name] for name in kind.rules.refuses)
        )
        assert is_stored(Product(**COLUMNS, kind=kind, **terms)) is fits, terms


def is_stored(product: Product) -> bool:
    try:
        with transaction.atomic():
            product.save()
    except IntegrityError:
        return False
    product.delete()
    return True


@every_kind
@pytest.mark.django_db
def test_form_and_catalog_ask_for_the_terms_that_a_kind_needs(kind: Kind) -> None:
    for name in kind.rules.needs:
        terms = {**least_terms(kind), name: None}
        form = form_with(kind, terms)
        assert name in form.errors
        with pytest.raises(catalog.CatalogError, match=f"keys are missing: {name}"):
            catalog.load([COLUMNS | {"kind": kind.value} | {each: 1 for each in kind.rules.needs if each != name}])


@every_kind
@pytest.mark.django_db
def test_form_and_catalog_refuse_the_terms_of_other_kinds(kind: Kind) -> None:
    for name in kind.rules.refuses:
        terms = {**least_terms(kind), name: 1}
        form = form_with(kind, terms)
        assert name in form.errors
        with pytest.raises(catalog.CatalogError, match=name):
            catalog.load([COLUMNS | {"kind": kind.value, name: 1} | dict.fromkeys(kind.rules.needs, 1)])


@every_kind
@pytest.mark.django_db
def test_what_the_catalog_dumps_it_loads_again(kind: Kind) -> None:
    catalog.load([COLUMNS | {"kind": kind.value} | dict.fromkeys(kind.rules.needs, 1)])
    product = Product.objects.get()

    assert catalog.load(catalog.dump([product])) == {"created": 0, "updated": 0, "unchanged": 1}
    assert str(product.rules.gives) % {"days": product.days, "units": product.units}


def test_kinds_are_found_by_what_is_true_of_them() -> None:
    assert kinds_that("has_units") == ["usage_pack"]
    assert kinds_that("is_recurring") == ["subscription"]
    assert kinds_that("is_stacked") == ["time_pass"]
