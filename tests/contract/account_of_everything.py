"""A simulated account in which there is one of everything, and for each operation a request that it grants."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from licenzy_django.simulator.api.front import Front, Request
from licenzy_django.simulator.api.routes import ROUTES
from licenzy_django.simulator.json_tree import snapshot
from licenzy_django.simulator.resources import tax_ids
from licenzy_django.simulator.simulator import Simulator
from licenzy_django.simulator.stores.memory import MemoryStore

Json = dict[str, Any]
Form = dict[str, str]
NOW = 1_790_000_000
KEY = {"authorization": "Bearer sk_test_1"}
DAY = 86_400


class Account:
    """Two of these are the same to the last id. ``twin`` makes another in little time."""

    def __init__(self) -> None:
        self.simulator = Simulator(MemoryStore(now=NOW, salt="s"))
        self.front = Front(self.simulator)
        self.ids: dict[str, str] = {}
        self._sell()
        self._buy()
        self._bill()

    def twin(self) -> Account:
        store, own = MemoryStore(now=NOW, salt="s"), self.simulator.store
        assert isinstance(own, MemoryStore)
        store._things, store._delivered = snapshot(own._things), dict(own._delivered)
        store._shared.now, store._shared.counter = own._shared.now, own._shared.counter
        twin = Account.__new__(Account)
        twin.simulator, twin.ids = Simulator(store), self.ids
        twin.front = Front(twin.simulator)
        return twin

    def ask(self, operation: str, form: Form, identifier: str = "") -> tuple[int, Json]:
        route = next(route for route in ROUTES if route.name == operation)
        path = route.pattern.pattern.replace("(?P<id>[^/]+)", identifier)
        answer = self.front.handle(Request(route.method, path, urlencode(form), KEY))
        return answer.status, json.loads(answer.body)

    def make(self, name: str, operation: str, form: Form, identifier: str = "") -> Json:
        status, made = self.ask(operation, form, identifier)
        assert status == 200, (operation, form, made)
        self.ids[name] = made["id"]
        return made

    def _sell(self) -> None:
        self.make("product", "products.create", {"name": "Pro"})
        self.make(
            "lonely_product",
            "products.create",
            {"name": "Never sold", "active": "false", "shippable": "true", "url": "https://x.example/"},
        )
        for name, amount, interval in (
            ("month", "1900", "month"),
            ("year", "19000", "year"),
            ("extra", "500", "month"),
            ("spare", "300", "month"),
        ):
            self.make(
                name,
                "prices.create",
                {
                    "product": self.ids["product"],
                    "currency": "eur",
                    "unit_amount": amount,
                    "recurring[interval]": interval,
                },
            )
        self.make(
            "pack",
            "prices.create",
            {"currency": "usd", "unit_amount": "1000", "lookup_key": "pack", "product_data[name]": "Pack"},
        )
        self.make("once", "prices.create", {"product": self.ids["product"], "currency": "eur", "unit_amount": "400"})
        self.make(
            "archived",
            "prices.create",
            {"product": self.ids["product"], "currency": "eur", "unit_amount": "100", "active": "false"},
        )
        self.make("endpoint", "webhook_endpoints.create", {"url": "https://x.example/hook", "enabled_events[]": "*"})
        self.make("other_endpoint", "webhook_endpoints.create", {"url": "https://x.example/b", "enabled_events[]": "*"})
        self._offer("coupon", "promotion_code", percent_off="20", duration="forever")
        self.simulator.advance(DAY)

    def _offer(self, coupon: str, promotion_code: str, **wanted: str) -> None:
        made = self.make(coupon, "coupons.create", wanted)
        promotion = {"promotion[type]": "coupon", "promotion[coupon]": made["id"]}
        self.make(promotion_code, "promotion_codes.create", promotion | {"code": promotion_code.replace("_", "-")})

    def _buy(self) -> None:
        self._offer("other_coupon", "other_code", percent_off="10", id="OTHER", max_redemptions="9")
        card = {"payment_method": "pm_card_visa", "invoice_settings[default_payment_method]": "pm_card_visa"}
        ada = self.make("ada", "customers.create", {"email": "ada@example.com", **card})
        self.ids["card"] = ada["invoice_settings"]["default_payment_method"]
        self.make("dora", "customers.create", card | {"address[country]": "DE"})
        self.make("bob", "customers.create", {"email": "bob@example.com"})
        self.make("other_card", "payment_methods.attach", {"customer": self.ids["ada"]}, "pm_card_mastercard")
        self.make("loose_card", "payment_methods.create", {"type": "card", "card[token]": "tok_visa"})
        for value in ("DE123456789", "FR12345678901"):
            tax_ids.save(self.simulator, ada["id"], {"type": "eu_vat", "value": value})
        made = self.make(
            "subscription", "subscriptions.create", {"customer": self.ids["ada"], "items[0][price]": self.ids["month"]}
        )
        self.ids |= {"item": made["items"]["data"][0]["id"], "paid_invoice": made["latest_invoice"]}
        self.make(
            "second_item",
            "subscription_items.create",
            {"subscription": self.ids["subscription"], "price": self.ids["spare"]},
        )
        payments = self.simulator.all("invoice_payment")
        self.ids["subscriptions_intent"] = payments[-1]["payment"]["payment_intent"]
        self.make(
            "trial",
            "subscriptions.create",
            {"customer": self.ids["bob"], "items[0][price]": self.ids["extra"], "trial_period_days": "30"},
        )
        paused = {"customer": self.ids["ada"], "items[0][price]": self.ids["extra"]}
        self.ids["paused_item"] = self.make("paused", "subscriptions.create", paused)["items"]["data"][0]["id"]
        self.simulator.pause(self.ids["paused"])
        for name in ("managed", "also_managed"):
            held = {"customer": self.ids["ada"], "items[0][price]": self.ids["extra"], "metadata[a]": "b"}
            self.make(name, "subscriptions.create", held)
            self.make(f"schedule_of_{name}", "subscription_schedules.create", {"from_subscription": self.ids[name]})
        for name in ("clock", "other_clock"):
            self.make(name, "test_helpers.test_clocks.create", {"frozen_time": str(NOW)})
        on_clock = self.make("clocked", "customers.create", {"email": "c@example.com", "test_clock": self.ids["clock"]})
        self.make("clocked_card", "payment_methods.attach", {"customer": on_clock["id"]}, "pm_card_visa")
        by_clock = {"customer": on_clock["id"], "items[0][price]": self.ids["extra"]}
        self.make("clocked_subscription", "subscriptions.create", by_clock)
        for name in ("configuration", "other_configuration"):
            off = {"features[invoice_history][enabled]": "false", "features[payment_method_update][enabled]": "false"}
            self.make(name, "billing_portal.configurations.create", off)
        lines = {
            "mode": "payment",
            "success_url": "https://x.example/",
            "line_items[0][price]": self.ids["pack"],
            "line_items[0][quantity]": "1",
        }
        more = {"line_items[1][price]": self.ids["pack"], "line_items[1][quantity]": "2", "customer": self.ids["ada"]}
        for name in ("session", "bought"):
            self.make(name, "checkout.sessions.create", lines | more)
        self.make("guests", "checkout.sessions.create", lines)
        paid = self.simulator.pay(self.ids["bought"])
        self.ids["intent"] = paid["payment_intent"]
        self.ids["charge"] = self.simulator.get("payment_intent", paid["payment_intent"])["latest_charge"]
        self.make("refund", "refunds.create", {"payment_intent": self.ids["intent"], "amount": "100"})
        disputed = self.make(
            "disputed",
            "payment_intents.create",
            {"amount": "700", "currency": "usd", "confirm": "true", "payment_method": "pm_card_createDispute"},
        )
        self.ids["disputed_charge"] = disputed["latest_charge"]
        self.ids["dispute"] = self.simulator.all("dispute")[0]["id"]
        again = self.make(
            "disputed_again",
            "payment_intents.create",
            {
                "amount": "800",
                "currency": "usd",
                "confirm": "true",
                "payment_method": "pm_card_createDisputeInquiry",
            },
        )
        self.make("other_refund", "refunds.create", {"payment_intent": again["id"], "amount": "100"})
        self.make(
            "open_intent", "payment_intents.create", {"amount": "900", "currency": "usd", "customer": self.ids["ada"]}
        )
        self.simulator.advance(DAY)

    def _bill(self) -> None:
        carla = self.make("carla", "customers.create", {"email": "carla@example.com"})
        self.make("carlas_card", "payment_methods.attach", {"customer": carla["id"]}, "pm_card_visa")
        item = {"customer": carla["id"], "amount": "2000", "currency": "eur"}
        self.make("invoiced_item", "invoice_items.create", item)
        self.make("other_item", "invoice_items.create", item)
        including = {"customer": carla["id"], "currency": "eur", "pending_invoice_items_behavior": "include"}
        self.make("draft", "invoices.create", including)
        for name in ("open_invoice", "sent_invoice", "credited_invoice"):
            self.make(name, "invoice_items.create", item)
            sent = {"collection_method": "send_invoice", "days_until_due": "30"} if name == "sent_invoice" else {}
            self.make(name, "invoices.create", including | sent)
            if name != "sent_invoice":
                self.make(name, "invoices.finalize_invoice", {}, self.ids[name])
        self.make("credit_note", "credit_notes.create", {"invoice": self.ids["credited_invoice"], "amount": "500"})
        self.make("other_note", "credit_notes.create", {"invoice": self.ids["credited_invoice"], "amount": "300"})
        self.make("waiting_item", "invoice_items.create", item)
        self.simulator.deliver(self.simulator.events()[:1], post=lambda *_: 200, secrets=["whsec_1"], api_version=None)
        self.ids["event"] = self.simulator.events()[0]["id"]
