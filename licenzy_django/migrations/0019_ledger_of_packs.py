import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("licenzy", "0018_units_into_packs"),
    ]

    operations = [
        migrations.RenameField(model_name="ledgerentry", old_name="entitlement", new_name="pack"),
        migrations.AlterField(
            model_name="ledgerentry",
            name="pack",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="ledger",
                to="licenzy.pack",
                verbose_name="pack",
            ),
        ),
        migrations.RemoveConstraint(model_name="entitlement", name="licenzy_entitlement_units_conserved"),
        migrations.RemoveConstraint(model_name="entitlement", name="licenzy_entitlement_reserved_until"),
        migrations.RemoveField(model_name="entitlement", name="reserved_until"),
        migrations.RemoveField(model_name="entitlement", name="units_adjusted"),
        migrations.RemoveField(model_name="entitlement", name="units_consumed"),
        migrations.RemoveField(model_name="entitlement", name="units_granted"),
        migrations.RemoveField(model_name="entitlement", name="units_remaining"),
        migrations.RemoveField(model_name="entitlement", name="units_reserved"),
        migrations.RemoveField(model_name="entitlement", name="units_voided"),
    ]
