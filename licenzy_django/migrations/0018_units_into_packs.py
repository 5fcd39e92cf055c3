"""The units of usage packs move from their entitlements into packs of their own. A pack has the key of its entitlement,
so that the ledger's rows, which are many, stay as they are."""

from typing import Any

from django.core.management.color import no_style
from django.db import migrations
from django.db.migrations.exceptions import IrreversibleError

from licenzy_django.clock import NEVER

UNITS = (
    "units_granted, units_consumed, units_reserved, units_voided, units_remaining, units_adjusted, reserved_until, "
    "created_at, updated_at"
)
FILL = f"""
INSERT INTO licenzy_pack (
  id, mode, subject_id, subject_ref, product_id, unit, source_id, window_key, starts_at, ends_at, not_before,
  available_until, is_void, {UNITS}
)
SELECT id, mode, subject_id, subject_ref, product_id, 'credits', source_id, '', starts_at, expires_at, not_before,
  COALESCE(available_until, %s), (NOT grants_access OR revoked_at IS NOT NULL), {UNITS}
FROM licenzy_entitlement
WHERE units_granted > 0 OR product_id IN (SELECT id FROM licenzy_product WHERE kind = 'usage_pack')
"""  # noqa: S608
POINT = "UPDATE licenzy_entitlement SET pack_id = id WHERE id IN (SELECT id FROM licenzy_pack)"


def fill(apps: Any, schema_editor: Any) -> None:
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        cursor.execute(FILL, [connection.ops.adapt_datetimefield_value(NEVER)])
        cursor.execute(POINT)
        for statement in connection.ops.sequence_reset_sql(no_style(), [apps.get_model("licenzy", "Pack")]):
            cursor.execute(statement)


def refuse_the_way_back(apps: Any, schema_editor: Any) -> None:
    if apps.get_model("licenzy", "Pack").objects.using(schema_editor.connection.alias).exists():
        raise IrreversibleError("The units in the packs would be lost.")


class Migration(migrations.Migration):
    dependencies = [
        ("licenzy", "0017_packs"),
    ]

    operations = [
        migrations.RunPython(fill, refuse_the_way_back),
    ]
