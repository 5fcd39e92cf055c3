"""Where a host can listen. Sent after the commit, and a receiver that fails does not stop the others."""

from __future__ import annotations

from django.dispatch import Signal

outbound_recorded = Signal()
"""Something waits to be delivered. Arguments: ``mode``."""
