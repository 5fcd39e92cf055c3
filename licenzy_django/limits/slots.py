"""A place under a limit, taken while the host adds what takes it."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from asgiref.sync import sync_to_async
from django.db import transaction

from licenzy_django import access, clock
from licenzy_django.conf import licenzy_settings
from licenzy_django.db.rows import writer_of
from licenzy_django.exceptions import EntitlementRequired, LimitReached
from licenzy_django.identity import subject_ref_of, validate_subject_ref
from licenzy_django.limits.counting import Count, counted
from licenzy_django.limits.locking import lock, retried
from licenzy_django.models import Subject


class Slot:
    """``with limits.slot(request, "projects", in_use=count_projects): Project.objects.create(…)``

    The block runs in a transaction in which the subject is locked. An exception in the block undoes all of it.

    Attributes:
        limit: the ``access.Limit`` that was read under the lock, once it is entered.
        in_use: how many were counted under the lock, this one not among them.
    """

    limit: access.Limit
    in_use: int

    def __init__(self, subject_ref: str, name: str, count: Count, required: int, mode: str) -> None:
        self.subject_ref = subject_ref
        self.name = name
        self.count = count
        self.required = required
        self.mode = mode
        self.opened = ExitStack()

    def __enter__(self) -> Self:
        """Raises LimitReached, and nothing is locked any longer. A lost race is run again, since nothing was done."""
        retried(self.begin)
        return self

    def begin(self) -> None:
        using = writer_of(Subject)
        with ExitStack() as stack:
            stack.enter_context(transaction.atomic(using=using))
            lock(self.subject_ref, self.mode)
            # A given moment is asked of the database, never of the cache.
            self.limit = access.limit(self.subject_ref, self.name, mode=self.mode, at=clock.now())
            self.in_use = counted(self.count, using=using)
            if not self.limit.allows(self.in_use, self.required):
                raise LimitReached(limit=self.limit.value, in_use=self.in_use)
            self.opened = stack.pop_all()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.opened.__exit__(kind, error, trace)

    async def __aenter__(self) -> Self:
        try:
            return await sync_to_async(self.__enter__)()
        except asyncio.CancelledError as error:
            # The thread went on, and nobody else will end what it has opened.
            await sync_to_async(self.__exit__)(type(error), error, None)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await sync_to_async(self.__exit__)(kind, error, trace)


def slot(subject: Any, name: str, *, in_use: Count, required: int = 1, mode: str | None = None) -> Slot:
    """Room for one more under a limit, for as long as a block runs: ``with`` or ``async with``.

    Whoever asks at the same time waits until the block has ended, and then counts again. Inside a transaction of the
    caller (``ATOMIC_REQUESTS``) that is until the end of that transaction.

    Args:
        subject: a ``subject_ref``, a request or a user.
        name: of the limit, for example ``projects``.
        in_use: is called under the lock, and counts what there is: ``Project.objects.filter(owner=user).count``. It may
            be async.
        required: how many the block adds.
        mode: ``test`` or ``live``; by default the setting ``MODE``.

    Raises, when the block is entered:
        LimitReached: there is no room; the block did not run. It is a PermissionDenied: Django and DRF answer 403.
        EntitlementRequired: the subject is nobody.
        InvalidRequest: ``in_use`` did not give a whole number.
        ImproperlyConfigured: ``in_use`` asked another database than the one with the lock.
    """
    subject_ref = subject_ref_of(subject)
    if subject_ref is None:
        raise EntitlementRequired(decision=access.Decision(False, "anonymous"))
    return Slot(validate_subject_ref(subject_ref), name, in_use, required, mode or licenzy_settings().MODE)
