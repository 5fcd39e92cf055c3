"""Every shape that a view has: a function, sync or async, a class, DRF's, and what decorators have made of these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from asgiref.sync import iscoroutinefunction


def made_of_subclass(view: Any, changed: Callable[[Any], Any]) -> Any:
    """What DRF's ``as_view`` or ``@api_view`` has made, made again of a changed subclass.

    Returns None for any other view, also for one with a decorator in between, which would be lost.
    """
    kind: Any = getattr(view, "cls", None)
    if not hasattr(kind, "check_permissions"):
        return None
    subclass = type(kind.__name__, (kind,), {"__module__": kind.__module__, "__doc__": kind.__doc__})
    actions = {"actions": view.actions} if hasattr(view, "actions") else {}
    made = changed(subclass).as_view(**actions, **view.initkwargs)
    if len(list(wrapped_in(made))) != len(list(wrapped_in(view))):
        return None
    # Marks such as non_atomic_requests are attributes of the function.
    made.__dict__.update({name: mark for name, mark in vars(view).items() if name not in vars(made)})
    return made


def wrapped_in(view: Any) -> Iterator[Any]:
    while hasattr(view, "__wrapped__"):
        view = view.__wrapped__
        yield view


def is_async(view: Any) -> bool:
    """Whether its answer is awaited; also of the dispatch of a class with async handlers, which is a plain method."""
    # method_decorator wraps the bound method in a partial.
    owner = getattr(getattr(view, "func", view), "__self__", None)
    return iscoroutinefunction(view) or bool(getattr(owner, "view_is_async", False))
