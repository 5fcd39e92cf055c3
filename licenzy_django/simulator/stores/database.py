"""The store for the demo: one row a thing, shared by threads and processes, on real time plus what was skipped."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from licenzy_django.db.text import storable

from .. import worker
from ..account import forget_clock
from ..conf import simulator_settings
from ..due import due_at
from ..json_tree import Json
from ..models import Account, Event, SavedAnswer, Thing
from ..resources import catalog
from . import Answer, Claim

DEAD_CLAIM_SECONDS = 15
_NEVER = 1e12


class _Session(threading.local):
    """What a thread has loaded and changed in its current unit."""

    def __init__(self) -> None:
        self.depth = 0
        self.skipped: int | None = None
        self.loaded: dict[tuple[str, str], Json] = {}
        self.fresh: dict[tuple[str, str], Json] = {}
        self.dirty: dict[tuple[str, str], Json] = {}

    def forget(self) -> None:
        self.skipped = None
        self.loaded, self.fresh, self.dirty = {}, {}, {}


class DatabaseStore:
    """Changes are serialised by one row that each unit updates first: portable, also where rows have no locks."""

    def __init__(self, *, livemode: bool = False) -> None:
        self.livemode = livemode
        self._session = _Session()

    def sibling(self, livemode: bool) -> DatabaseStore:
        return self if livemode == self.livemode else DatabaseStore(livemode=livemode)

    @contextmanager
    def unit(self) -> Iterator[None]:
        session = self._session
        if session.depth:
            yield
            return
        session.depth += 1
        try:
            with transaction.atomic():
                if not Account.objects.filter(pk=1).update(turn=F("turn") + 1):
                    Account.objects.bulk_create([Account(pk=1)], ignore_conflicts=True)
                    Account.objects.filter(pk=1).update(turn=F("turn") + 1)
                yield
                self._flush()
        finally:
            session.depth -= 1
            session.forget()

    def reading(self) -> AbstractContextManager[None]:
        return nullcontext()

    def now(self) -> int:
        return int(time.time()) + self._skipped()

    def _skipped(self) -> int:
        session = self._session
        if session.skipped is not None:
            return session.skipped
        skipped = Account.objects.filter(pk=1).values_list("skipped_seconds", flat=True).first() or 0
        if session.depth:
            session.skipped = skipped
        return skipped

    def shift_clock(self, seconds: int) -> None:
        if seconds:
            self._session.skipped = self._skipped() + seconds
            Account.objects.filter(pk=1).update(skipped_seconds=self._session.skipped)
            transaction.on_commit(forget_clock)

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{secrets.token_hex(12)}"

    def get(self, kind: str, identifier: str) -> Json | None:
        key = (kind, identifier)
        if (known := self._session.loaded.get(key)) is not None:
            return known
        if storable(identifier) != identifier:
            return None
        body = self._rows(kind).filter(stripe_id=identifier).values_list("body", flat=True).first()
        if body is None:
            return self._price_of_the_settings(identifier) if kind == "price" else None
        return self._remember(key, body)

    def _remember(self, key: tuple[str, str], body: Json) -> Json:
        return self._session.loaded.setdefault(key, body) if self._session.depth else body

    def _rows(self, kind: str) -> Any:
        if kind == "event":
            return Event.objects.filter(livemode=self.livemode)
        return Thing.objects.filter(livemode=self.livemode, kind=kind)

    def _price_of_the_settings(self, identifier: str) -> Json | None:
        if not any(price["id"] == identifier for price in simulator_settings().PRICES):
            return None
        self.load_prices()
        return self.get("price", identifier)

    def load_prices(self) -> None:
        """Creates the prices of the settings that are not there yet."""
        from ..world import World

        known = set(self._rows("price").values_list("stripe_id", flat=True))
        wanted = [price for price in simulator_settings().PRICES if price["id"] not in known]
        if not wanted:
            return
        with self.unit():
            known = set(self._rows("price").values_list("stripe_id", flat=True))
            for price in wanted:
                if price["id"] not in known:
                    catalog.create_price(World(self), price)

    def add(self, thing: Json) -> None:
        key = (thing["object"], thing["id"])
        self._session.fresh[key] = self._session.loaded[key] = thing
        if not self._session.depth:
            raise RuntimeError("Things are added inside a unit")

    def save(self, thing: Json) -> None:
        key = (thing["object"], thing["id"])
        if key not in self._session.fresh:
            self._session.dirty[key] = thing

    def remove(self, thing: Json) -> None:
        key = (thing["object"], thing["id"])
        for known in (self._session.fresh, self._session.dirty, self._session.loaded):
            known.pop(key, None)
        self._rows(thing["object"]).filter(stripe_id=thing["id"]).delete()

    def _flush(self) -> None:
        session = self._session
        fresh, dirty = session.fresh, session.dirty
        session.fresh, session.dirty = {}, {}
        events = [thing for (kind, _), thing in fresh.items() if kind == "event"]
        Thing.objects.bulk_create([self._row(thing) for (kind, _), thing in fresh.items() if kind != "event"])
        if events:
            self._add_events(events)
        for (kind, identifier), thing in dirty.items():
            self._rows(kind).filter(stripe_id=identifier).update(body=thing, due_at=due_at(thing))

    def _row(self, thing: Json) -> Thing:
        return Thing(
            livemode=self.livemode, kind=thing["object"], stripe_id=thing["id"], body=thing, due_at=due_at(thing)
        )

    def _add_events(self, events: list[Json]) -> None:
        delay = simulator_settings().WEBHOOK_DELAY_SECONDS
        first_try = _NEVER if delay is None else time.time() + delay
        Event.objects.bulk_create(
            Event(livemode=self.livemode, stripe_id=event["id"], type=event["type"], body=event, next_try_at=first_try)
            for event in events
        )
        if delay is not None:
            transaction.on_commit(worker.wake)

    def all(self, kind: str, **where: Any) -> list[Json]:
        if kind == "price":
            self.load_prices()
        if self._session.depth:
            self._flush()
        rows = self._rows(kind).filter(**{f"body__{name}": value for name, value in where.items()})
        found = rows.order_by("pk").values_list("stripe_id", "body")
        return [self._remember((kind, identifier), body) for identifier, body in found]

    def newest(self, kind: str, limit: int) -> list[Json]:
        return list(self._rows(kind).order_by("-pk").values_list("body", flat=True)[:limit])

    def next_due(self, until: int) -> Json | None:
        self._flush()
        row = Thing.objects.filter(livemode=self.livemode, due_at__lte=until).order_by("due_at", "pk").first()
        return self.get(row.kind, row.stripe_id) if row else None

    def has_due(self, until: int) -> bool:
        return Thing.objects.filter(livemode=self.livemode, due_at__lte=until).exists()

    def claim(self, key: str, fingerprint: str) -> Claim:
        row = {"livemode": self.livemode, "key": key}
        try:
            with transaction.atomic():
                SavedAnswer.objects.create(**row, fingerprint=fingerprint, claimed_at=time.time())
            return Claim("ours")
        except IntegrityError:
            known = SavedAnswer.objects.filter(**row).first()
        if known is None:
            return self.claim(key, fingerprint)
        if known.fingerprint != fingerprint:
            return Claim("mismatch")
        if known.status is not None:
            return Claim("answered", Answer(known.status, known.body, known.request_id))
        dead = SavedAnswer.objects.filter(**row, status=None, claimed_at__lt=time.time() - DEAD_CLAIM_SECONDS)
        return Claim("ours" if dead.update(claimed_at=time.time()) else "in_flight")

    def keep_answer(self, key: str, answer: Answer) -> None:
        SavedAnswer.objects.filter(livemode=self.livemode, key=key).update(
            status=answer.status, body=answer.body, request_id=answer.request_id
        )

    def release(self, key: str) -> None:
        SavedAnswer.objects.filter(livemode=self.livemode, key=key, status=None).delete()

    def delivered(self, event_id: str) -> bool:
        return Event.objects.filter(stripe_id=event_id, delivered_at__isnull=False).exists()

    def note_delivery(self, event_id: str, status: int, error: str = "") -> None:
        heard = timezone.now() if 200 <= status < 300 else None
        Event.objects.filter(stripe_id=event_id).update(
            attempts=F("attempts") + 1, last_status=status, last_error=error[:200], delivered_at=heard
        )

    def deliver_again(self, event_id: str, endpoint: str = "") -> None:
        event = Event.objects.filter(livemode=self.livemode, stripe_id=event_id).first()
        if event:
            event.reached = [name for name in event.reached if endpoint and name != endpoint]
            event.next_try_at, event.delivered_at, event.attempts = 0, None, 0
            event.save(update_fields=["reached", "next_try_at", "delivered_at", "attempts"])
            transaction.on_commit(worker.wake)
