"""Where a host can listen. Sent after the commit, and a receiver that fails does not stop the others."""

from __future__ import annotations

from django.dispatch import Signal

entitlement_changed = Signal()
"""An entitlement began, changed or ended. Sender: ``Entitlement``.

Arguments: ``entitlement``, the row as it was saved; ``change``, its ``EntitlementChange`` with ``before``, ``after``,
``reason`` and ``source``. Units that are used do not count as a change, and what ends by the clock changes no row.
"""

checkout_finalized = Signal()
"""The money of a checkout is confirmed. Sender: ``CheckoutAttempt``. Argument: ``attempt``, with its subject."""

trial_will_end = Signal()
"""A trial ends in three days, or was just shortened; whoever writes to customers does it here.

Sender: ``Subject``. Arguments: ``subject``, ``subscription_id`` and ``trial_end`` (a datetime). The same trial end may
come twice, where Stripe's event is replayed.
"""

usage_threshold_reached = Signal()
"""So many per cent of a unit are used (setting ``USAGE_THRESHOLDS``); once until a new window or pack begins.

Sender: ``Subject``. Arguments: ``subject_ref``, ``mode``, ``unit``, ``threshold`` (per cent), ``usage_remaining``,
``usage_granted`` and ``usage_resets_at`` (a datetime, or None where there are only packs).
"""

outbound_recorded = Signal()
"""Something waits to be delivered. Arguments: ``mode``."""
