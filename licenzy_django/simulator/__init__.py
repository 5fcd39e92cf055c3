"""A Stripe that runs on this machine, for the demo and for tests. No money moves.

``Simulator`` is the state machine, ``http_client()`` what the stripe library is given (the setting
``LICENZY["STRIPE_HTTP_CLIENT"] = "licenzy_django.simulator.http_client"``), ``now()`` its clock
(``LICENZY["CLOCK"] = "licenzy_django.simulator.now"``). Importing this package imports neither stripe nor a model.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .http import SimulatorHTTPClient
    from .simulator import Simulator

__all__ = ["Simulator", "client_of", "http_client", "now"]


def http_client() -> SimulatorHTTPClient:
    """The HTTP client for ``StripeClient`` on the simulator that is kept in the database."""
    from .account import database_front
    from .http import SimulatorHTTPClient

    return SimulatorHTTPClient(database_front())


def client_of(simulator: Simulator) -> SimulatorHTTPClient:
    """The HTTP client for ``StripeClient`` on this simulator; its ``front`` has the faults and the log."""
    from .api.front import Front
    from .http import SimulatorHTTPClient

    return SimulatorHTTPClient(Front(simulator))


def now() -> datetime:
    """The simulated time of the simulator that is kept in the database: real time plus what was skipped."""
    from .account import simulated_now

    return simulated_now()


def __getattr__(name: str) -> Any:
    if name == "Simulator":
        from .simulator import Simulator

        return Simulator
    raise AttributeError(name)
