import hypothesis
import pytest

from tests.backend import Backend

# A busy machine is no counterexample.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")

pytest_plugins = ["licenzy_django.testing"]

# Long proofs that `make test` leaves to `make test-slow`: started servers, killed processes, random histories of the
# outbox and the ledger. The laws themselves stay in both.
SLOW = (
    "tests/admin/test_page.py",
    "tests/docs/test_host.py",
    "tests/e2e/test_credits.py",
    "tests/e2e/test_events_page.py",
    "tests/e2e/test_real_key.py",
    "tests/gates/test_two_processes.py",
    "tests/outbound/test_told_laws.py",
    "tests/outbound/test_workers.py",
    "tests/test_checkout_crashes.py",
    "tests/test_readme.py",
    "tests/usage/test_laws.py",
    "tests/usage/test_races.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def backend(db: None) -> Backend:
    """A server of the company with a key for test mode."""
    return Backend()
