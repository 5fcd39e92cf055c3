from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("licenzy", "0002_standard_names"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="product",
            name="licenzy_product_kind_fits",
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "subscription"), ("duration_days", None), ("units", None), ("valid_days", None)),
                    models.Q(
                        ("kind", "time_pass"),
                        models.Q(("duration_days__gte", 1), ("duration_days__isnull", False)),
                        ("grace_days", 0),
                        ("units", None),
                        ("valid_days", None),
                    ),
                    models.Q(
                        ("kind", "usage_pack"),
                        models.Q(("units__gte", 1), ("units__isnull", False)),
                        models.Q(("valid_days", None), ("valid_days__gte", 1), _connector="OR"),
                        ("duration_days", None),
                        ("grace_days", 0),
                    ),
                    _connector="OR",
                ),
                name="licenzy_product_kind_fits",
                violation_error_message="A time pass needs duration in days, a usage pack needs units (and may have valid days), a subscription has neither (and may have grace).",
            ),
        ),
    ]
