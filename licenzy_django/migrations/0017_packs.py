from datetime import UTC, datetime

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import licenzy_django.clock


class Migration(migrations.Migration):
    dependencies = [
        ("licenzy", "0016_checkout_options"),
    ]

    operations = [
        migrations.CreateModel(
            name="Pack",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "mode",
                    models.CharField(choices=[("test", "test"), ("live", "live")], max_length=4, verbose_name="mode"),
                ),
                ("subject_ref", models.CharField(editable=False, max_length=255, verbose_name="subject ref")),
                ("unit", models.CharField(default="credits", max_length=64, verbose_name="unit")),
                (
                    "source_id",
                    models.CharField(
                        help_text="A subscription, a session, or a grant.", max_length=255, verbose_name="rests on"
                    ),
                ),
                (
                    "window_key",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Which window of the subscription it is.",
                        max_length=64,
                        verbose_name="window",
                    ),
                ),
                ("starts_at", models.DateTimeField(blank=True, null=True, verbose_name="starts at")),
                (
                    "ends_at",
                    models.DateTimeField(
                        blank=True, help_text="What ends first is used first.", null=True, verbose_name="ends at"
                    ),
                ),
                ("not_before", models.DateTimeField(blank=True, help_text="Empty means at once.", null=True)),
                (
                    "available_until",
                    models.DateTimeField(
                        default=datetime(9000, 1, 1, tzinfo=UTC),
                        help_text="The year 9000 means without end.",
                    ),
                ),
                ("is_void", models.BooleanField(default=False, verbose_name="is void")),
                ("units_granted", models.PositiveBigIntegerField(default=0, verbose_name="units granted")),
                ("units_consumed", models.PositiveBigIntegerField(default=0, verbose_name="units consumed")),
                ("units_reserved", models.PositiveBigIntegerField(default=0, verbose_name="units reserved")),
                ("units_voided", models.PositiveBigIntegerField(default=0, verbose_name="units voided")),
                ("units_remaining", models.PositiveBigIntegerField(default=0, verbose_name="units remaining")),
                (
                    "units_adjusted",
                    models.BigIntegerField(
                        default=0, help_text="By operators; part of the units granted.", verbose_name="units adjusted"
                    ),
                ),
                (
                    "reserved_until",
                    models.DateTimeField(
                        blank=True,
                        help_text="The earliest end of what is reserved of it.",
                        null=True,
                        verbose_name="reserved until",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=licenzy_django.clock.now, editable=False, verbose_name="created at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=licenzy_django.clock.now, editable=False, verbose_name="updated at"),
                ),
            ],
            options={
                "verbose_name": "pack of units",
                "verbose_name_plural": "packs of units",
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="pack",
            name="allowance_of",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="Of a window: the subscription that it belongs to.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="windows",
                to="licenzy.entitlement",
                verbose_name="allowance of",
            ),
        ),
        migrations.AddField(
            model_name="pack",
            name="product",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="packs",
                to="licenzy.product",
                verbose_name="product",
            ),
        ),
        migrations.AddField(
            model_name="pack",
            name="subject",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="packs",
                to="licenzy.subject",
                verbose_name="subject",
            ),
        ),
        migrations.AddField(
            model_name="entitlement",
            name="pack",
            field=models.OneToOneField(
                blank=True,
                help_text="The units of a usage pack.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="entitlement",
                to="licenzy.pack",
                verbose_name="pack",
            ),
        ),
        migrations.AddIndex(
            model_name="pack",
            index=models.Index(fields=["subject_ref", "mode", "available_until"], name="licenzy_pack_live"),
        ),
        migrations.AddConstraint(
            model_name="pack",
            constraint=models.UniqueConstraint(
                fields=("source_id", "mode", "unit", "window_key"), name="licenzy_pack_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="pack",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "units_granted",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("units_consumed"), "+", models.F("units_reserved")
                                ),
                                "+",
                                models.F("units_voided"),
                            ),
                            "+",
                            models.F("units_remaining"),
                        ),
                    )
                ),
                name="licenzy_pack_units_conserved",
                violation_error_message="granted = consumed + reserved + voided + remaining.",
            ),
        ),
        migrations.AddConstraint(
            model_name="pack",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reserved_until", None), ("units_reserved", 0)),
                    models.Q(("reserved_until__isnull", False), ("units_reserved__gt", 0)),
                    _connector="OR",
                ),
                name="licenzy_pack_reserved_until",
            ),
        ),
        migrations.AddConstraint(
            model_name="pack",
            constraint=models.CheckConstraint(
                condition=models.Q(("mode__in", ["test", "live"])),
                name="licenzy_pack_mode",
                violation_error_message="The mode is test or live.",
            ),
        ),
    ]
