"""Let one more in, or none: ``limits.slot`` counts under a lock. Of two requests for the last place one gets it."""

from licenzy_django.limits.slots import Slot, slot

__all__ = ["Slot", "slot"]
