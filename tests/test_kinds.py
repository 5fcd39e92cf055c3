"""A kind of product is one row of a table: forms, catalog, constraint and API follow from it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from licenzy_django import catalog
from licenzy_django.admin.products import ProductForm
from licenzy_django.models import Kind, Product
from licenzy_django.models.kinds import NEEDED_BY, RULES, TERMS, kinds_that
from licenzy_django.models.product_units import ZERO_IS_NONE

every_kind = pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.value)
COLUMNS: dict[str, Any] = {"mode": "test", "code": "THING", "name": "Thing", "stripe_price_id": "price_1"}


OTHER: dict[str, Any] = {"unit": "sms", "units_every": "month", "units_per": "subscription"}
"""A value of each term that is no number; those that are numbers have 1."""


def least_terms(kind: Kind) -> dict[str, Any]:
    return TERMS | dict.fromkeys(kind.rules.needs, 1)


def one_term(name: str) -> dict[str, Any]:
    """A term with what has to stand beside it, as a catalog file says it."""
    needed = ("units",) if name == "unit" else NEEDED_BY.get(name, ())
    return {**dict.fromkeys(needed, 1), name: OTHER.get(name, 1)}


def form_with(kind: Kind, terms: dict[str, Any]) -> ProductForm:
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
    """Each two terms together, beside what the kind needs."""
    for pair in itertools.combinations(TERMS, 2):
        for values in itertools.product(*map(tried, pair)):
            terms = least_terms(kind) | dict(zip(pair, values, strict=True))
            assert is_stored(Product(**COLUMNS, kind=kind, **terms)) is fits(kind, terms), terms


def tried(name: str) -> list[Any]:
    return [TERMS[name], OTHER[name]] if name in OTHER else [None, 0, 1] if TERMS[name] is None else [0, 1]


def fits(kind: Kind, terms: dict[str, Any]) -> bool:
    given = {name for name, value in terms.items() if value != TERMS[name] and not (name in ZERO_IS_NONE and not value)}
    return (
        all(terms[name] for name in kind.rules.needs)
        and given <= set(kind.rules.terms)
        and all(terms[name] for name in given)
        and all(terms[each] for name in given for each in NEEDED_BY.get(name, ()))
    )


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
        terms = {**least_terms(kind), name: OTHER.get(name, 1)}
        form = form_with(kind, terms)
        assert name in form.errors
        with pytest.raises(catalog.CatalogError, match=name):
            catalog.load(
                [COLUMNS | {"kind": kind.value, name: OTHER.get(name, 1)} | dict.fromkeys(kind.rules.needs, 1)]
            )


@every_kind
@pytest.mark.django_db
def test_what_the_catalog_dumps_it_loads_again(kind: Kind) -> None:
    least = COLUMNS | {"kind": kind.value} | dict.fromkeys(kind.rules.needs, 1)
    for more in ({}, *map(one_term, kind.rules.may_have)):
        entry = least | more
        catalog.load([entry])
        product = Product.objects.get()

        assert catalog.load(catalog.dump([product])) == {"created": 0, "updated": 0, "unchanged": 1}
        assert {key: getattr(product, key) for key in entry} == entry


def test_kinds_are_found_by_what_is_true_of_them() -> None:
    assert kinds_that("has_units") == ["usage_pack"]
    assert kinds_that("is_recurring") == ["subscription"]
    assert kinds_that("is_stacked") == ["time_pass"]
