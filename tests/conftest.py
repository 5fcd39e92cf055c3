import hypothesis
import pytest

from tests.backend import Backend

# A busy machine is no counterexample.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")

pytest_plugins = ["licenzy_django.testing"]


@pytest.fixture
def backend(db: None) -> Backend:
    """A server of the company with a key for test mode."""
    return Backend()
