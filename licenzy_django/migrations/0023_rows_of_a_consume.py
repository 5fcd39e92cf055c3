"""The further rows of a consume over several packs name its key, so that it can be given back as one."""

from django.db import migrations

# A consume writes its rows at one moment, under a lock on its packs; only the first of them has the key's answer.
NAME_THE_KEY = """
UPDATE licenzy_ledgerentry SET part_of = (
  SELECT one.idempotency_key FROM licenzy_ledgerentry one
  WHERE one.subject_id = licenzy_ledgerentry.subject_id AND one.id < licenzy_ledgerentry.id AND one.kind = 'consume'
    AND one.usage_remaining IS NOT NULL AND one.created_at = licenzy_ledgerentry.created_at
  ORDER BY one.id DESC LIMIT 1
)
WHERE kind = 'consume' AND usage_remaining IS NULL AND part_of IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("licenzy", "0022_refunds_of_units"),
    ]

    operations = [
        migrations.RunSQL(NAME_THE_KEY, migrations.RunSQL.noop),
    ]
