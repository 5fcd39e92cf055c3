import os

import hypothesis
import pytest

# A busy machine is no counterexample. CI looks at more examples than `make test` does.
hypothesis.settings.register_profile("quick", deadline=None, max_examples=25)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=200)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

pytest_plugins = ["licenzy_django.testing", "tests.fixtures"]

LONG = {"browser", "client", "crash", "exhaustive", "fuzz", "hosts", "installed", "slow", "stripe_tools"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if LONG.isdisjoint(mark.name for mark in item.iter_markers()):
            item.add_marker(pytest.mark.quick)
