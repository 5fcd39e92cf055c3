from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("licenzy", "0001_initial")]

    operations = [
        migrations.RemoveConstraint(model_name="outboundevent", name="licenzy_outbound_once"),
        migrations.RenameField(model_name="outboundevent", old_name="once_key", new_name="dedup_key"),
        migrations.RenameField(model_name="stripefact", old_name="applied_ticket", new_name="fetch_sequence"),
        migrations.AddConstraint(
            model_name="outboundevent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("dedup_key", ""), _negated=True),
                fields=("dedup_key", "mode"),
                name="licenzy_outbound_once",
            ),
        ),
    ]
