"""The settings of an odd host: those of the tests, and what ``HOST`` in the environment changes, as JSON."""

import json
import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, LICENZY

changes = json.loads(os.environ["HOST"])
DATABASES["default"] |= changes.pop("DATABASE")
LICENZY |= {"CLOCK": "django.utils.timezone.now", **changes.pop("LICENZY", {})}
globals().update(changes)
