import hypothesis
import pytest

# A busy machine is no counterexample.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")

pytest_plugins = ["licenzy_django.testing", "tests.fixtures"]

LONG = {"browser", "crash", "exhaustive", "fuzz", "hosts", "installed", "slow", "stripe_tools"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if LONG.isdisjoint(mark.name for mark in item.iter_markers()):
            item.add_marker(pytest.mark.quick)
