from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("licenzy", "0009_what_was_sold"),
    ]

    operations = [
        migrations.AddField(
            model_name="checkoutattempt",
            name="asked_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
