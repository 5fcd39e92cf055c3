pytest_plugins = ["licenzy_django.testing"]
