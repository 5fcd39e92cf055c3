"""``licenzy_api_key``: a key is shown once, listed without being readable, and revoked at once."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from licenzy_django.models import ApiKey
from tests.backend import Backend, error_of

pytestmark = pytest.mark.django_db


def run(*args: str) -> tuple[str, str]:
    """What the command says on stdout and on stderr."""
    out, err = StringIO(), StringIO()
    call_command("licenzy_api_key", *args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize("mode", ["test", "live"])
def test_a_new_key_stands_alone_on_the_last_line(mode: str) -> None:
    said, warned = run("create", "--mode", mode, "--name", "node backend")

    key = said.splitlines()[-1]
    assert key.startswith(f"lz_{mode}_")
    assert len(key) >= 40
    assert "once" in warned
    assert key not in warned
    row = ApiKey.objects.get()
    assert (row.mode, row.name) == (mode, "node backend")


def test_a_new_key_opens_the_api_of_its_mode() -> None:
    key = run("create", "--mode", "live", "--name", "php")[0].strip()

    assert not Backend(key=key).is_allowed("user_1")


def test_two_keys_are_never_the_same() -> None:
    keys = {run("create", "--mode", "test", "--name", "n")[0].strip() for _ in range(5)}

    assert len(keys) == 5


def test_the_list_shows_what_names_a_key_and_not_the_key() -> None:
    key = run("create", "--mode", "test", "--name", "node")[0].strip()
    Backend(key=key).is_allowed("user_1")

    said, _ = run("list")

    assert key[:16] in said
    assert key[-4:] in said
    assert "node" in said
    assert "active" in said
    assert key not in said


def test_an_empty_list_says_how_to_begin() -> None:
    assert "licenzy_api_key create" in run("list")[0]


def test_a_revoked_key_is_refused_and_listed_as_revoked() -> None:
    key = run("create", "--mode", "test", "--name", "node")[0].strip()

    run("revoke", key[:16])

    assert error_of(Backend(key=key).post("access/check", {"subject_ref": "u"})) == (401, "invalid_api_key")
    assert "revoked" in run("list")[0]
    at = ApiKey.objects.get().revoked_at
    run("revoke", key[:16])
    assert ApiKey.objects.get().revoked_at == at, "a second time changes nothing"


@pytest.mark.parametrize("prefix", ["lz_test_nothere0", "", "lz_test_", "%"])
def test_revoking_what_is_not_one_key_revokes_nothing(prefix: str) -> None:
    run("create", "--mode", "test", "--name", "node")

    with pytest.raises(CommandError):
        run("revoke", prefix)

    assert ApiKey.objects.get().revoked_at is None


@pytest.mark.parametrize(
    ("prefix", "says"), [("lz_test_", "The first 16 characters are needed"), ("lz_test_nothere0", "No key begins with")]
)
def test_what_is_wrong_with_a_prefix_is_said(prefix: str, says: str) -> None:
    run("create", "--mode", "test", "--name", "node")

    with pytest.raises(CommandError, match=says):
        run("revoke", prefix)


def test_of_two_keys_that_begin_alike_none_is_revoked() -> None:
    key = run("create", "--mode", "test", "--name", "node")[0].strip()
    ApiKey.objects.create(mode="test", name="other", prefix=key[:16], last_four="abcd", digest="0")

    with pytest.raises(CommandError, match="2 keys begin with"):
        run("revoke", key[:16])

    assert not ApiKey.objects.exclude(revoked_at=None).exists()


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("create",),
        ("create", "--mode", "prod", "--name", "n"),
        ("create", "--mode", "test"),
        ("create", "--mode", "test", "--name", "  "),
    ],
)
def test_what_cannot_be_done_is_a_command_error(args: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run(*args)

    assert not ApiKey.objects.exists()
