import hypothesis
import pytest

from tests.backend import Backend

# A busy machine is no counterexample.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")

pytest_plugins = ["licenzy_django.testing"]

# Long proofs that `make test` leaves to `make test-slow`: started servers, killed processes, the admin's pages,
# repairs, random histories of the outbox and the ledger.
SLOW = (
    "tests/admin/test_actions.py",
    "tests/admin/test_health.py",
    "tests/admin/test_lists.py",
    "tests/admin/test_page.py",
    "tests/docs/test_host.py",
    "tests/e2e/test_credits.py",
    "tests/e2e/test_events_page.py",
    "tests/e2e/test_real_key.py",
    "tests/e2e/test_story_over_http.py",
    "tests/gates/test_shared_cache.py",
    "tests/gates/test_two_processes.py",
    "tests/openapi/test_document.py",
    "tests/outbound/test_outbox.py",
    "tests/outbound/test_told_laws.py",
    "tests/outbound/test_workers.py",
    "tests/test_checkout_crashes.py",
    "tests/test_races.py",
    "tests/test_readme.py",
    "tests/test_sync.py",
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
