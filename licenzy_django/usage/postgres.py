"""Taking units in one statement, where PostgreSQL has our function: it locks, decides, updates and keeps its record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connections

from licenzy_django.db.conditions import as_sql
from licenzy_django.db.functions import DatabaseFunction, register
from licenzy_django.models import LedgerEntry, OutboundEndpoint, Pack, Product
from licenzy_django.models.availability import HAS_UNITS, PACK_IS_ON
from licenzy_django.models.usage import MOST_UNITS

TEXT = """
CREATE FUNCTION {name}(
  for_subject text, in_mode text, of_unit text, of_product text, needed bigint, key text, print text,
  moment timestamptz, done jsonb, will_publish bool,
  OUT remaining bigint, OUT unit_taken text, OUT is_emptied bool, OUT wants_use bool, OUT wants_thresholds bool
) LANGUAGE plpgsql AS $$
-- Takes units for licenzy-django: usage/postgres.py. NULL remaining: nothing was changed, since there are too few, the
-- key was used, several units are sold and none is named, or an endpoint wants to know and the caller does not
-- publish.
DECLARE
  wanted text := of_unit; last_sold text;
  ids bigint[]; stocks bigint[]; subject bigint; total numeric; has_expired bool; missing bigint := needed; part bigint;
BEGIN
  is_emptied := false;
  IF of_unit = '' AND of_product = '' THEN
    -- The first and the last of an index, however many products there are.
    SELECT coalesce(min(unit), ''), max(unit) INTO wanted, last_sold FROM {product}
      WHERE mode = in_mode AND NOT (unit = '');
    IF wanted <> last_sold THEN
      RETURN;
    END IF;
  END IF;
  IF will_publish THEN
    -- What is announced rests on all packs, those that are used up too, and whoever uses some of one waits here.
    PERFORM id FROM {pack}
      WHERE subject_ref = for_subject AND mode = in_mode AND {is_on} AND (wanted = '' OR unit = wanted)
      ORDER BY ends_at, starts_at, id FOR NO KEY UPDATE;
  END IF;
  SELECT array_agg(id), array_agg(units_remaining), min(subject_id), sum(units_remaining),
    bool_or(reserved_until <= moment), min(unit)
    INTO ids, stocks, subject, total, has_expired, unit_taken
    FROM (
      SELECT id, units_remaining, subject_id, reserved_until, unit FROM {pack}
      WHERE subject_ref = for_subject AND mode = in_mode AND units_granted > 0 AND {is_on} AND {has_units}
        AND (wanted = '' OR unit = wanted)
        AND (of_product = '' OR product_id = (SELECT id FROM {product} WHERE code = of_product AND mode = in_mode))
      ORDER BY ends_at, starts_at, id FOR NO KEY UPDATE
    ) live;
  IF total IS NULL OR total < needed OR has_expired THEN
    RETURN;
  END IF;
  SELECT coalesce(bool_or(events = '[]' OR events ? 'usage.consumed'), false),
    coalesce(bool_or(events = '[]' OR events ? 'usage.threshold_reached'), false)
    INTO wants_use, wants_thresholds
    FROM {endpoint} WHERE mode = in_mode AND is_active;
  IF (wants_use OR wants_thresholds) AND NOT will_publish THEN
    RETURN;
  END IF;
  FOR turn IN 1 .. array_length(ids, 1) LOOP
    part := least(missing, stocks[turn]);
    INSERT INTO {ledger} (
      mode, subject_id, pack_id, kind, units, balance_after, created_at, source, reason,
      idempotency_key, part_of, fingerprint, usage_remaining, actions
    ) VALUES (
      in_mode, subject, ids[turn], 'consume', part, stocks[turn] - part, moment, 'runtime', '',
      CASE WHEN turn = 1 THEN key END, CASE WHEN turn > 1 THEN key END, CASE WHEN turn = 1 THEN print ELSE '' END,
      CASE WHEN turn = 1 THEN least(total - needed, {most}) END, CASE WHEN turn = 1 THEN done END
    ) ON CONFLICT (idempotency_key, kind, mode) DO NOTHING;
    IF NOT FOUND THEN
      RETURN;
    END IF;
    UPDATE {pack} SET
      units_consumed = units_consumed + part, units_remaining = units_remaining - part, updated_at = moment
      WHERE id = ids[turn];
    is_emptied := is_emptied OR part = stocks[turn];
    missing := missing - part;
    EXIT WHEN missing = 0;
  END LOOP;
  remaining := least(total - needed, {most});
END $$
"""
TABLES = {"pack": Pack, "product": Product, "ledger": LedgerEntry, "endpoint": OutboundEndpoint}
CONDITIONS = {"is_on": PACK_IS_ON, "has_units": HAS_UNITS}
CONSUME = DatabaseFunction(
    "consume",
    TEXT.format(
        name="{name}",
        most=MOST_UNITS,
        **{name: model._meta.db_table for name, model in TABLES.items()},
        **{name: as_sql(condition, at="moment", column=str) for name, condition in CONDITIONS.items()},
    ),
)
register(CONSUME)
CALL = f"SELECT * FROM {CONSUME.name}(%s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s)"  # noqa: S608


def is_there(using: str) -> bool:
    return CONSUME.is_there(using)


@dataclass(frozen=True, slots=True)
class Taken:
    """What the function says.

    Attributes:
        remaining: what is left; None: nothing was changed.
        unit: of what was taken.
        is_emptied: a pack has nothing left.
        wants_use, wants_thresholds: an endpoint wants to know, in the transaction that takes. None where too few units
            are left.
    """

    remaining: int | None
    unit: str
    is_emptied: bool
    wants_use: bool | None
    wants_thresholds: bool | None


def call(using: str, *arguments: Any) -> Taken:
    with connections[using].cursor() as cursor:
        cursor.execute(CALL, arguments)
        return Taken(*cursor.fetchone())
