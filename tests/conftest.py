import pytest

from tests.backend import Backend

pytest_plugins = ["licenzy_django.testing"]


@pytest.fixture
def backend(db: None) -> Backend:
    """A server of the company with a key for test mode."""
    return Backend()
