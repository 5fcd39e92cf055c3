from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("licenzy", "0004_price_history"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="subject",
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("look", "Can look at every subject and at the health page"),
                    ("support", "Can support subjects: everything that their pages offer"),
                    ("configure", "Can configure: products, API keys, endpoints"),
                ],
                "verbose_name": "subject",
                "verbose_name_plural": "subjects",
            },
        ),
    ]
