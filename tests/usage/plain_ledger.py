"""Units as plain Python would count them: slow, without a database, and easy to believe."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

FAR = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass
class PlainPack:
    number: int
    subject: str
    code: str
    expires_at: datetime | None
    granted: int
    consumed: int = 0
    is_revoked: bool = False
    unit: str = "credits"


@dataclass
class PlainHold:
    parts: list[tuple[PlainPack, int]]
    subject: str
    code: str
    units: int
    expires_at: datetime
    state: str = "open"
    confirmed: int | None = None
    answer: int = 0
    use: PlainUse | None = None


@dataclass
class PlainUse:
    """What a consume or a confirmed reservation used of which pack, and what of it was given back."""

    parts: list[tuple[PlainPack, int]]
    subject: str
    given_back: int = 0

    @property
    def units(self) -> int:
        return sum(units for _, units in self.parts)


@dataclass
class PlainLedger:
    now: datetime
    kinds: tuple[str, ...] = ("credits",)
    packs: list[PlainPack] = field(default_factory=list)
    holds: list[PlainHold] = field(default_factory=list)
    uses: dict[str, PlainUse] = field(default_factory=dict)
    keys: dict[tuple[str, str], tuple[object, object]] = field(default_factory=dict)

    def held(self, pack: PlainPack) -> int:
        alive = [hold for hold in self.holds if hold.state == "open" and hold.expires_at > self.now]
        return sum(units for hold in alive for part, units in hold.parts if part is pack)

    def unused(self, pack: PlainPack) -> int:
        """Neither consumed nor set aside; void if the pack was revoked."""
        return pack.granted - pack.consumed - self.held(pack)

    def unit_of(self, code: str, unit: str) -> str | None:
        """Which unit is meant, a product's or the only one; None where that is not said."""
        if unit or code:
            return unit
        return self.kinds[0] if len(self.kinds) == 1 else None

    def drained(self, subject: str, code: str, unit: str) -> list[PlainPack]:
        """The packs that can be used now, in the order in which they are."""
        able = [
            pack
            for pack in self.packs
            if pack.subject == subject
            and code in ("", pack.code)
            and unit in ("", pack.unit)
            and not pack.is_revoked
            and (pack.expires_at is None or pack.expires_at > self.now)
        ]
        return sorted(able, key=lambda pack: (pack.expires_at or FAR, pack.number))

    def remaining(self, subject: str, code: str = "", unit: str = "") -> int:
        return sum(self.unused(pack) for pack in self.drained(subject, code, unit))

    def planned(self, subject: str, units: int, code: str, unit: str) -> list[tuple[PlainPack, int]] | None:
        if self.remaining(subject, code, unit) < units:
            return None
        parts = []
        for pack in self.drained(subject, code, unit):
            part = min(units, self.unused(pack))
            units -= part
            if part:
                parts.append((pack, part))
        return parts

    def consume(self, subject: str, units: int, code: str, unit: str, key: str) -> int | None:
        parts = self.planned(subject, units, code, unit)
        if parts is None:
            return None
        for pack, part in parts:
            pack.consumed += part
        self.uses[key] = PlainUse(parts, subject)
        return self.remaining(subject, code, unit)

    def refund(self, use: PlainUse | None, units: int | None) -> tuple[int, int] | str:
        """What can be used again and what is left then of that unit, or the code of the error."""
        if use is None:
            return "consumption_not_found"
        left = use.units - use.given_back
        if units is not None and (units > use.units or 0 < left < units):
            return "invalid_request"
        unit = use.parts[0][0].unit
        skipped, wanted, refunded = use.given_back, min(left, units or left), 0
        use.given_back += wanted
        for pack, part in reversed(use.parts):
            before = min(part, skipped)
            back = min(part - before, wanted)
            skipped, wanted = skipped - before, wanted - back
            pack.consumed -= back
            refunded += back if pack in self.drained(use.subject, "", unit) else 0
        return refunded, self.remaining(use.subject, "", unit)

    def reserve(self, subject: str, units: int, code: str, unit: str, ttl_seconds: int) -> PlainHold | None:
        parts = self.planned(subject, units, code, unit)
        if parts is None:
            return None
        self.holds.append(PlainHold(parts, subject, code, units, self.now + timedelta(seconds=ttl_seconds)))
        return self.holds[-1]

    def is_open(self, hold: PlainHold) -> bool:
        return hold.state == "open" and hold.expires_at > self.now

    def end(self, hold: PlainHold, units: int | None) -> int | str:
        """What is left, or the code of the error."""
        state = "released" if units is None else "confirmed"
        if (hold.state, hold.confirmed) == (state, units):
            return hold.answer
        if not self.is_open(hold):
            return "reservation_closed"
        if units is not None and units > hold.units:
            return "invalid_request"
        hold.state, hold.confirmed = state, units
        unused, used = units or 0, []
        for pack, part in hold.parts:
            pack.consumed += min(unused, part)
            used.append((pack, min(unused, part)))
            unused -= min(unused, part)
        hold.use = None if units is None else PlainUse(used, hold.subject)
        hold.answer = self.remaining(hold.subject, hold.code, hold.parts[0][0].unit)
        return hold.answer
