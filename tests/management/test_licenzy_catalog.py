"""``licenzy_catalog load`` and ``dump``: products from and to JSON, repeatable, all or nothing."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from licenzy_django import catalog
from licenzy_django.catalog import CatalogError
from licenzy_django.models import Product
from licenzy_django.models.querysets import units_sold
from licenzy_django.testing import StripeDouble, entitled

pytestmark = pytest.mark.django_db

SUBSCRIPTION = {"mode": "test", "code": "PRO", "name": "Pro", "kind": "subscription", "stripe_price_id": "price_1",
                "features": ["export"], "grace_days": 3}  # fmt: skip
PASS = {"mode": "test", "code": "WEEK", "name": "Week", "kind": "time_pass", "stripe_price_id": "price_2",
        "duration_days": 7, "features": []}  # fmt: skip
PACK = {"mode": "live", "code": "CREDITS", "name": "1,000", "kind": "usage_pack", "stripe_price_id": "price_3",
        "units": 1000, "valid_days": 365, "features": []}  # fmt: skip
CATALOG = [SUBSCRIPTION, PASS, PACK]
ALLOWANCE = {**SUBSCRIPTION, "units": 1000}
ONLY_WITH_UNITS = {"unit": "sms", "units_every": "month", "units_per": "subscription", "rollover_units": 1,
                   "rollover_windows": 1, "trial_units": 1}  # fmt: skip


def without(entry: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in names}


def test_a_catalog_is_loaded_and_loading_it_again_changes_nothing() -> None:
    assert catalog.load(CATALOG) == {"created": 3, "updated": 0, "unchanged": 0}
    before = list(Product.objects.values())

    assert catalog.load(CATALOG) == {"created": 0, "updated": 0, "unchanged": 3}

    assert list(Product.objects.values()) == before


def test_what_differs_is_updated_and_what_is_missing_is_left_alone() -> None:
    catalog.load(CATALOG)

    counts = catalog.load([{**SUBSCRIPTION, "name": "Pro 2", "stripe_price_id": "price_9", "grace_days": 0}, PASS])

    assert counts == {"created": 0, "updated": 1, "unchanged": 1}
    assert Product.objects.get(code="PRO").stripe_price_id == "price_9"
    assert Product.objects.filter(code="CREDITS").exists()


def test_a_dump_is_what_load_reads() -> None:
    catalog.load([*CATALOG, {**without(PACK, "valid_days"), "code": "FOREVER", "stripe_price_id": "price_4"}])
    entries = catalog.dump(Product.objects.order_by("pk"))
    assert entries[:3] == CATALOG

    Product.objects.all().delete()
    catalog.load(json.loads(json.dumps(entries)))

    assert catalog.dump(Product.objects.order_by("pk")) == entries


def test_a_product_taken_off_sale_stays_off_sale_through_a_dump() -> None:
    catalog.load([{**SUBSCRIPTION, "is_active": False}])

    entries = catalog.dump(Product.objects.all())

    assert entries[0]["is_active"] is False
    assert catalog.load(entries)["unchanged"] == 1


def test_a_trial_is_loaded_dumped_and_gone_when_the_file_leaves_it_out() -> None:
    entry = {**SUBSCRIPTION, "trial_days": 14, "trial_card": False}
    catalog.load([entry])
    assert catalog.dump(Product.objects.all()) == [entry]

    catalog.load([SUBSCRIPTION])

    product = Product.objects.get()
    assert (product.trial_days, product.trial_card) == (None, True)
    assert catalog.dump([product]) == [SUBSCRIPTION]


def test_an_add_on_is_loaded_dumped_and_no_add_on_any_more_when_the_file_leaves_it_out() -> None:
    entry = {**SUBSCRIPTION, "is_add_on": True}
    catalog.load([entry])
    assert catalog.dump(Product.objects.all()) == [entry]

    catalog.load([{**SUBSCRIPTION, "group": "plans"}])

    product = Product.objects.get()
    assert (product.is_add_on, product.group) == (False, "plans")


def test_an_add_on_in_a_plan_group_is_refused_with_product_and_key() -> None:
    with pytest.raises(CatalogError, match=r"Product 1 \(PRO\): group: An add-on has no plan group"):
        catalog.load([{**SUBSCRIPTION, "is_add_on": True, "group": "plans"}])


@pytest.mark.parametrize("days", [0, 731])
def test_a_refused_trial_names_the_product_and_the_key(days: int) -> None:
    with pytest.raises(CatalogError, match=r"Product 1 \(PRO\): trial_days: "):
        catalog.load([{**SUBSCRIPTION, "trial_days": days}])


@pytest.mark.parametrize(
    "terms",
    [
        {"units": 1000},
        {"units": 1000, "unit": "sms", "units_every": "month", "units_per": "subscription"},
        {"units": 100, "units_every": "week", "rollover_units": 100},
        {"units": 100, "rollover_units": 20, "rollover_windows": 12},
        {"units": 1000, "trial_days": 14, "trial_units": 5000},
    ],
    ids=repr,
)
def test_units_of_a_subscription_are_loaded_dumped_and_gone_when_the_file_leaves_them_out(terms: Any) -> None:
    entry = {**SUBSCRIPTION, **terms}
    catalog.load([entry])
    assert catalog.load([entry])["unchanged"] == 1
    assert catalog.dump(Product.objects.all()) == [entry]

    catalog.load([SUBSCRIPTION])

    assert catalog.dump(Product.objects.all()) == [SUBSCRIPTION]
    assert catalog.load([SUBSCRIPTION])["unchanged"] == 1


def test_what_is_the_default_may_be_said_and_is_not_dumped() -> None:
    said = {"unit": "credits", "units_every": "period", "units_per": "quantity", "rollover_units": 0}
    nothing = {"rollover_windows": None, "trial_units": None}
    catalog.load([{**ALLOWANCE, **said, **nothing}, {**PACK, "unit": "credits"}, {**PASS, "is_active": True}])

    assert catalog.load([ALLOWANCE, PACK, PASS])["unchanged"] == 3
    assert catalog.dump(Product.objects.order_by("pk")) == [ALLOWANCE, PACK, PASS]
    assert list(Product.objects.order_by("pk").values_list("unit", flat=True)) == ["credits", "credits", ""]


def test_two_kinds_of_units_stand_in_one_file() -> None:
    sms = {**PACK, "mode": "test", "code": "SMS", "stripe_price_id": "price_4", "unit": "sms"}
    catalog.load([ALLOWANCE, PASS, sms])

    assert catalog.dump(Product.objects.order_by("pk")) == [ALLOWANCE, PASS, sms]
    assert units_sold("test") == ["credits", "sms"]
    assert units_sold("live") == []


def test_units_that_were_included_once_were_sold() -> None:
    catalog.load([{**ALLOWANCE, "unit": "sms"}])
    catalog.load([SUBSCRIPTION])

    assert units_sold("test") == ["sms"]


def test_which_units_are_sold_is_answered_by_an_index() -> None:
    with CaptureQueriesContext(connection) as captured:
        units_sold("test")

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    plan = explained(captured[0]["sql"])
    assert "licenzy_product_unit" in plan


def explained(sql: str) -> str:
    how = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{how} {sql}")
        return "\n".join(str(row) for row in cursor.fetchall())


class TestAUnitThatWasSold:
    """What somebody has is counted in it."""

    @pytest.fixture(autouse=True)
    def sold(self) -> None:
        catalog.load([ALLOWANCE, {**PACK, "mode": "test"}])
        entitled("user_1", "PRO")
        entitled("user_1", "CREDITS")

    @pytest.mark.parametrize("entry", [ALLOWANCE, {**PACK, "mode": "test"}], ids=["subscription", "pack"])
    def test_stays_what_it_is(self, entry: dict[str, Any]) -> None:
        with pytest.raises(CatalogError, match=rf"^Product 1 \({entry['code']}\): unit: .*credits"):
            catalog.load([{**entry, "unit": "sms"}])

        product = Product.objects.get(code=entry["code"])
        product.unit = "sms"
        with pytest.raises(ValidationError, match="cannot change: it is credits"):
            product.full_clean()
        for fields in (None, ["unit"], ["name", "unit"]):
            with pytest.raises(ValidationError, match="cannot change: it is credits"):
                product.save(update_fields=fields)
        product.save(update_fields=["name"])
        product.refresh_from_db()
        assert product.unit == "credits"

    def test_stays_when_the_product_includes_none_any_more_and_some_again(self) -> None:
        catalog.load([SUBSCRIPTION])
        with pytest.raises(CatalogError, match="unit: "):
            catalog.load([{**ALLOWANCE, "unit": "sms"}])

        assert catalog.load([ALLOWANCE])["updated"] == 1
        assert Product.objects.get(code="PRO").unit == "credits"

    def test_more_units_are_no_other_unit(self) -> None:
        assert catalog.load([{**ALLOWANCE, "units": 2000}])["updated"] == 1


def test_a_checkout_that_has_begun_counts_as_sold(stripe_double: StripeDouble) -> None:
    catalog.load([ALLOWANCE])
    stripe_double.sell("PRO")
    stripe_double.checkout("user_1", "PRO")

    with pytest.raises(CatalogError, match="unit: "):
        catalog.load([{**ALLOWANCE, "unit": "sms"}])


def test_a_product_without_units_gets_any_unit_whoever_has_it() -> None:
    catalog.load([SUBSCRIPTION])
    entitled("user_1", "PRO")

    catalog.load([{**ALLOWANCE, "unit": "sms"}])

    assert units_sold("test") == ["sms"]


def test_a_unit_that_nobody_bought_may_be_called_something_else() -> None:
    catalog.load([ALLOWANCE])

    assert catalog.load([{**ALLOWANCE, "unit": "sms"}])["updated"] == 1


def test_the_same_code_may_stand_in_both_modes() -> None:
    catalog.load([SUBSCRIPTION, {**SUBSCRIPTION, "mode": "live"}])

    assert Product.objects.filter(code="PRO").count() == 2


BAD: dict[str, Any] = {
    "not a list": {"products": []},
    "not objects": ["PRO"],
    "null": None,
    "no kind": [without(SUBSCRIPTION, "kind")],
    "a kind that is a list": [{**SUBSCRIPTION, "kind": ["subscription"]}],
    "an unknown kind": [{**SUBSCRIPTION, "kind": "lifetime"}],
    "an unknown key": [{**SUBSCRIPTION, "price": 5}],
    "a key of another kind": [{**SUBSCRIPTION, "valid_days": 5}],
    "grace for a pass": [{**PASS, "grace_days": 5}],
    "no code": [without(SUBSCRIPTION, "code")],
    "no name": [without(SUBSCRIPTION, "name")],
    "no price": [without(SUBSCRIPTION, "stripe_price_id")],
    "an empty price": [{**SUBSCRIPTION, "stripe_price_id": ""}],
    "no duration": [without(PASS, "duration_days")],
    "no units": [without(PACK, "units")],
    "no time": [{**PASS, "duration_days": 0}],
    "negative time": [{**PASS, "duration_days": -1}],
    "units that are text": [{**PACK, "units": "many"}],
    "no units in the pack": [{**PACK, "units": 0}],
    "an unknown mode": [{**SUBSCRIPTION, "mode": "prod"}],
    "a mode that is a list": [{**SUBSCRIPTION, "mode": ["test"]}],
    "a code with a space": [{**SUBSCRIPTION, "code": "PRO MONTHLY"}],
    "a code with a new line": [{**SUBSCRIPTION, "code": "PRO\n"}],
    "an endless code": [{**SUBSCRIPTION, "code": "P" * 65}],
    "features that are a text": [{**SUBSCRIPTION, "features": "export"}],
    "a feature that is a number": [{**SUBSCRIPTION, "features": [1]}],
    "an empty feature": [{**SUBSCRIPTION, "features": [""]}],
    "a price sold twice": [SUBSCRIPTION, {**SUBSCRIPTION, "code": "PRO2"}],
    "no duration that counts": [{**PASS, "duration_days": None}],
    "no units that count": [{**PACK, "units": None}],
    "more days than a life has": [{**PASS, "duration_days": 36_501}],
    "more valid days than a life has": [{**PACK, "valid_days": 36_501}],
    "more grace than a life has": [{**SUBSCRIPTION, "grace_days": 36_501}],
    "more units than anybody uses": [{**PACK, "units": 1_000_000_000_001}],
    "units that are a list": [{**PACK, "units": []}],
    "units that are an object": [{**PACK, "units": {}}],
    "units without end": [{**PACK, "units": float("inf")}],
    "a part of a unit": [{**PACK, "units": 5.7}],
    "units that are true": [{**PACK, "units": True}],
    "a name that is a list": [{**PASS, "name": ["x"]}],
    "a name that is a number": [{**PASS, "name": 5}],
    "a name of blanks": [{**PASS, "name": "  "}],
    "a name that no database stores": [{**PASS, "name": "a\x00b"}],
    "a code that is a number": [{**PASS, "code": 5}],
    "a code with half a character": [{**PASS, "code": "\ud800"}],
    "a price that is a number": [{**PASS, "stripe_price_id": 7}],
    "a price with a blank": [{**PASS, "stripe_price_id": "price 7"}],
    "a price with a blank at its end": [{**PASS, "stripe_price_id": "price_7\n"}],
    "a feature that no database stores": [{**PASS, "features": ["a\x00b"]}],
    "a feature with half a character": [{**PASS, "features": ["\ud800"]}],
    "activity that is a number": [{**PASS, "is_active": 1}],
    "the same code twice": [PASS, {**PASS, "stripe_price_id": "price_8"}],
    "the same entry twice": [PASS, PASS],
    "no trial at all": [{**SUBSCRIPTION, "trial_days": 0}],
    "a trial of more than two years": [{**SUBSCRIPTION, "trial_days": 731}],
    "a trial that is a text": [{**SUBSCRIPTION, "trial_days": "14"}],
    "a trial of a pass": [{**PASS, "trial_days": 14}],
    "a trial of a pack": [{**PACK, "trial_days": 14}],
    "a pass that needs no card": [{**PASS, "trial_card": False}],
    "a card that is a number": [{**SUBSCRIPTION, "trial_days": 14, "trial_card": 0}],
    "a pass that is an add-on": [{**PASS, "is_add_on": True}],
    "a pack that is an add-on": [{**PACK, "is_add_on": True}],
    "an add-on that is a number": [{**SUBSCRIPTION, "is_add_on": 1}],
    "grace that is null": [{**SUBSCRIPTION, "grace_days": None}],
}


@pytest.mark.parametrize("entries", BAD.values(), ids=BAD.keys())
def test_a_wrong_catalog_is_refused_as_a_whole(entries: Any) -> None:
    good_first = [PACK, *entries] if isinstance(entries, list) else entries

    with pytest.raises(CatalogError):
        catalog.load(good_first)

    assert not Product.objects.exists()


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    **{
        f"{name} of a {entry['kind']}": ({**entry, name: value}, name)
        for entry in (PASS, PACK)
        for name, value in {"trial_days": 14, "trial_card": False, "grace_days": 3, "group": "a"}.items()
    },
    "duration of a subscription": ({**SUBSCRIPTION, "duration_days": 7}, "duration_days"),
    "validity of a pass": ({**PASS, "valid_days": 7}, "valid_days"),
    "a group of an add-on": ({**SUBSCRIPTION, "is_add_on": True, "group": "a"}, "group"),
    "no units": ({**PACK, "units": 0}, "units"),
    "less than no units": ({**PACK, "units": -1}, "units"),
    "no duration": ({**PASS, "duration_days": 0}, "duration_days"),
    "no validity": ({**PACK, "valid_days": 0}, "valid_days"),
    "a trial of no day": ({**SUBSCRIPTION, "trial_days": 0}, "trial_days"),
    "a trial of 731 days": ({**SUBSCRIPTION, "trial_days": 731}, "trial_days"),
    "grace below nothing": ({**SUBSCRIPTION, "grace_days": -1}, "grace_days"),
    "an endless grace": ({**SUBSCRIPTION, "grace_days": 36_501}, "grace_days"),
    **{
        f"limits {value!r}": ({**SUBSCRIPTION, "limits": value}, "limits")
        for value in ([], None, {"a": True}, {"a": 1.5}, {"a": -1}, {"a": "5"}, {"a": 10**13}, {"": 1}, {" a": 1})
    },
    **{
        f"{name} {value!r}": ({**ALLOWANCE, "trial_days": 14, name: value}, name)
        for name in ("units", "rollover_units", "rollover_windows", "trial_units")
        for value in (True, False, 1.5, -1, "5", 10**13, [])
    },
    **{
        f"{name} {value!r}": ({**ALLOWANCE, name: value}, name)
        for name, values in {
            "units": [0],
            "unit": ["", " ", "two words", "x" * 65, 5, None, "\x00"],
            "units_every": ["day", "", 1, None, ["month"]],
            "units_per": ["seat", "", 1, None],
            "rollover_units": [1001],
            "rollover_windows": [0, 13],
        }.items()
        for value in values
    },
    **{
        f"{name} without units": ({**SUBSCRIPTION, "trial_days": 14, name: value}, name)
        for name, value in ONLY_WITH_UNITS.items()
    },
    "rollover windows without rollover units": ({**ALLOWANCE, "rollover_windows": 2}, "rollover_windows"),
    "units of a trial without a trial": ({**ALLOWANCE, "trial_units": 50}, "trial_units"),
    **{f"{name} of a pass": ({**PASS, name: value}, name) for name, value in ONLY_WITH_UNITS.items()},
    **{f"{name} of a pack": ({**PACK, name: value}, name) for name, value in ONLY_WITH_UNITS.items() if name != "unit"},
    "units of a pass": ({**PASS, "units": 5}, "units"),
    "an unknown default": ({**SUBSCRIPTION, "is_default": True}, "is_default"),
}


@pytest.mark.parametrize(("entry", "key"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_is_named_with_its_product_and_its_key(entry: dict[str, Any], key: str) -> None:
    with pytest.raises(CatalogError, match=rf"^Product 2 \({entry['code']}\): .*\b{key}\b"):
        catalog.load([{**PACK, "code": "FINE", "stripe_price_id": "price_fine"}, entry])

    assert not Product.objects.exists()


@pytest.mark.parametrize(
    ("key", "value"), [("stripe_price_id", "price_1"), ("other_price_ids", ["price_5", "price_1"])]
)
def test_a_price_in_two_products_is_named_with_product_and_key(key: str, value: Any) -> None:
    second = {**SUBSCRIPTION, "code": "MAX", "stripe_price_id": "price_6", key: value}

    with pytest.raises(CatalogError, match=rf"^Product 2 \(MAX\): {key}: .*: price_1 is a price of PRO"):
        catalog.load([SUBSCRIPTION, second])


@pytest.mark.parametrize(
    "terms",
    [
        {"kind": "time_pass"},
        {"kind": "usage_pack"},
        {"kind": "time_pass", "duration_days": 36_501},
        {"kind": "usage_pack", "units": 1_000_000_000_001},
        {"kind": "usage_pack", "units": 1, "valid_days": 36_501},
        {"kind": "subscription", "grace_days": 36_501},
        {"kind": "time_pass", "duration_days": 7, "is_add_on": True},
        {"kind": "subscription", "is_add_on": True, "group": "plans"},
        {"kind": "subscription", "units": 0},
        {"kind": "subscription", "units": 10**12 + 1},
        {"kind": "subscription", "units_every": "month"},
        {"kind": "subscription", "units": 5, "units_every": "day"},
        {"kind": "subscription", "units": 5, "units_per": "seat"},
        {"kind": "subscription", "units": 5, "rollover_units": 6},
        {"kind": "subscription", "units": 5, "rollover_units": 5, "rollover_windows": 13},
        {"kind": "subscription", "units": 5, "rollover_units": 5, "rollover_windows": 0},
        {"kind": "subscription", "units": 5, "rollover_windows": 2},
        {"kind": "subscription", "units": 5, "trial_units": 5},
        {"kind": "subscription", "trial_days": 7, "trial_units": 5},
        {"kind": "subscription", "units": 5, "trial_days": 7, "trial_units": 10**12 + 1},
        {"kind": "usage_pack", "units": 5, "units_every": "month"},
        {"kind": "time_pass", "duration_days": 7, "unit": "sms"},
    ],
    ids=repr,
)
def test_the_database_refuses_terms_that_nobody_could_be_sold(terms: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        Product.objects.create(mode="test", code="ODD", name="Odd", stripe_price_id="price_1", **terms)


def test_the_entry_that_is_wrong_is_named() -> None:
    with pytest.raises(CatalogError, match=r"Product 2 \(WEEK\).*duration_days"):
        catalog.load([SUBSCRIPTION, without(PASS, "duration_days")])


def test_what_is_out_of_bounds_is_named() -> None:
    with pytest.raises(CatalogError, match=r"Product 1 \(CREDITS\): units: .*1000000000000"):
        catalog.load([{**PACK, "units": 1_000_000_000_001}])


def test_two_products_change_their_prices_with_each_other() -> None:
    catalog.load([SUBSCRIPTION, PASS])
    swapped = [{**SUBSCRIPTION, "stripe_price_id": "price_2"}, {**PASS, "stripe_price_id": "price_1"}]

    assert catalog.load(swapped) == {"created": 0, "updated": 2, "unchanged": 0}

    assert catalog.dump(Product.objects.order_by("pk")) == swapped


def test_a_price_that_another_product_keeps_is_not_given_away() -> None:
    catalog.load([SUBSCRIPTION, PASS])

    with pytest.raises(CatalogError, match=r"Product 1 \(PRO\): stripe_price_id: Another product has this"):
        catalog.load([{**SUBSCRIPTION, "stripe_price_id": "price_2"}])

    assert Product.objects.get(code="PRO").stripe_price_id == "price_1"


def test_what_was_sold_keeps_its_kind() -> None:
    catalog.load([SUBSCRIPTION])

    with pytest.raises(CatalogError, match="kind"):
        catalog.load([{**PASS, "code": "PRO"}])


def test_the_command_loads_a_file_and_dumps_it_again(tmp_path: Path) -> None:
    file = tmp_path / "catalog.json"
    file.write_text(json.dumps(CATALOG))
    out = StringIO()

    call_command("licenzy_catalog", "load", str(file), stdout=out)
    assert "3 created" in out.getvalue()
    dumped = StringIO()
    call_command("licenzy_catalog", "dump", "--mode", "test", stdout=dumped)

    assert json.loads(dumped.getvalue()) == [SUBSCRIPTION, PASS]


@pytest.mark.parametrize("source", ["file", "-"])
def test_a_byte_order_mark_does_no_harm(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "catalog.json"
    file.write_text(json.dumps([PASS]), encoding="utf-8-sig")
    monkeypatch.setattr("sys.stdin", StringIO(file.read_text(encoding="utf-8")))

    call_command("licenzy_catalog", "load", "-" if source == "-" else str(file), stdout=StringIO())

    assert Product.objects.get().code == "WEEK"


def test_the_command_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(json.dumps([PASS])))

    call_command("licenzy_catalog", "load", "-", stdout=StringIO())

    assert Product.objects.get().code == "WEEK"


@pytest.mark.parametrize("content", [None, b"{not json", b"\xff\xfe\xff", b"[{}]", b"[" * 100_000])
def test_a_file_that_cannot_be_loaded_is_a_command_error(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "catalog.json"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(CommandError, match=r"catalog\.json"):
        call_command("licenzy_catalog", "load", str(file), stdout=StringIO())


def test_what_stripes_page_can_do_is_loaded_and_dumped() -> None:
    sold = {**SUBSCRIPTION, "checkout": {"allow_promotion_codes": True, "subscription_data": {"description": "Pro"}}}

    assert catalog.load([sold, PASS])["created"] == 2

    assert catalog.dump(Product.objects.order_by("pk")) == [sold, PASS]
    assert catalog.load([SUBSCRIPTION, PASS]) == {"created": 0, "updated": 1, "unchanged": 1}
    assert Product.objects.get(code="PRO").checkout == {}


@pytest.mark.parametrize(
    ("entry", "options", "words"),
    [
        (SUBSCRIPTION, {"success_url": "/"}, r"\(PRO\): checkout: success_url: Set SUCCESS_URL and CANCEL_URL"),
        (SUBSCRIPTION, {"wallet_options": {}}, r"\(PRO\): checkout: wallet_options: Set it in Stripe's dashboard"),
        (SUBSCRIPTION, {"invoice_creation": {"enabled": True}}, "invoice_creation: It is for what is paid once"),
        (PASS, {"subscription_data": {"description": "x"}}, "subscription_data: It is for subscriptions"),
        (PASS, {"promotion_codes": True}, "promotion_codes: Stripe's Checkout has no parameter of this name"),
        (PASS, {"locale": 5}, "locale: This is one of"),
        (PASS, ["locale"], "checkout must be an object"),
        (PASS, None, "checkout must be an object"),
    ],
)
def test_what_may_not_be_set_on_stripes_page_is_refused_by_name(entry: Any, options: Any, words: str) -> None:
    with pytest.raises(CatalogError, match=words):
        catalog.load([{**entry, "checkout": options}])

    assert not Product.objects.exists()
