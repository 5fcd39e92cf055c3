import os

import hypothesis
import pytest
from django.conf import settings

# A busy machine is no counterexample. CI looks at more examples than `make test` does.
hypothesis.settings.register_profile("quick", deadline=None, max_examples=25)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=200)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

pytest_plugins = ["licenzy_django.testing", "tests.fixtures"]

LONG = {"browser", "client", "crash", "exhaustive", "fuzz", "hosts", "installed", "slow", "stripe_tools"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if LONG.isdisjoint(mark.name for mark in item.iter_markers()):
            item.add_marker(pytest.mark.quick)
    alike = [item for item in items if item.get_closest_marker("any_database")]
    if asking := [item.nodeid for item in alike if asks_for_the_database(item)]:
        raise pytest.UsageError(f"any_database is for tests that never ask the database of DATABASE_URL: {asking}")
    if not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        config.hook.pytest_deselected(items=alike)
        items[:] = [item for item in items if not item.get_closest_marker("any_database")]


def asks_for_the_database(item: pytest.Item) -> bool:
    """Without one of these pytest-django refuses every connection."""
    fixtures = {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
    return bool(fixtures or item.get_closest_marker("django_db"))
