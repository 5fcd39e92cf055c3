from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("licenzy", "0005_support_permission"),
    ]

    operations = [
        migrations.CreateModel(
            name="Wakeup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(unique=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
    ]
