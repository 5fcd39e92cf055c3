"""What development may allow."""

from __future__ import annotations

from typing import Any

import pytest

from licenzy_django.checks.outbound import check_tasks


@pytest.mark.parametrize(
    ("name", "expected"), [("OUTBOUND_ALLOW_HTTP", "licenzy.W020"), ("OUTBOUND_ALLOW_PRIVATE", "licenzy.W021")]
)
def test_w020_w021_only_development_may(settings: Any, ids: Any, name: str, expected: str) -> None:
    assert ids(**{name: True}) == [expected]
    settings.DEBUG = True
    assert ids(**{name: True}) == []


@pytest.mark.parametrize(
    ("tasks", "licenzy", "expected"),
    [
        ({}, {}, []),
        ({"default": {"BACKEND": "a.B"}}, {}, []),
        ({"default": {"BACKEND": "a.B", "QUEUES": []}}, {"TASK_QUEUE": "webhooks"}, []),
        ({"default": {"BACKEND": "a.B", "QUEUES": ["emails"]}}, {}, ["licenzy.W022"]),
        ({"slow": {"BACKEND": "a.B", "QUEUES": ["webhooks"]}}, {"TASK_BACKEND": "slow", "TASK_QUEUE": "webhooks"}, []),
        ({"default": {"BACKEND": "a.B"}}, {"TASK_BACKEND": "slow"}, ["licenzy.W022"]),
    ],
)
def test_w022_backend_and_queue_of_the_tasks_are_there(
    settings: Any, tasks: dict[str, Any], licenzy: dict[str, str], expected: list[str]
) -> None:
    settings.TASKS = tasks
    settings.LICENZY = settings.LICENZY | licenzy

    assert [message.id for message in check_tasks()] == expected
