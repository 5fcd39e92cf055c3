"""Served by gunicorn: our API beside bare views that do one indexed query, without any middleware.

BENCH_DATABASE is an entry of Django's DATABASES as JSON.
"""

from __future__ import annotations

import json
import os
from typing import Any

import django
from django.conf import settings

from benchmarks.sides import licenzy
from benchmarks.sides.common import settings_of

configured = settings_of(licenzy, json.loads(os.environ["BENCH_DATABASE"]))
settings.configure(**configured | {"ROOT_URLCONF": "benchmarks.http_urls"})
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402

application: Any = get_wsgi_application()
