"""Debug pages and crash mails show settings and every local variable: a secret of ours is in none of them."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory
from django.views.debug import ExceptionReporter

from licenzy_django.conf import licenzy_settings

SECRET = "sk_live_that_nobody_may_see"
OTHER = "whsec_that_nobody_may_see"


@pytest.mark.parametrize("is_debug", [True, False])
@pytest.mark.parametrize("misspelt", ["LIVE_SECRT", "LIVE_WEBHOK_SIGNINGS", "x"])
def test_a_misspelt_key_does_not_show_its_secret(settings: Any, is_debug: bool, misspelt: str) -> None:
    settings.DEBUG = is_debug
    licenzy_settings()
    settings.LICENZY = {**settings.LICENZY, misspelt: SECRET, "LIVE_WEBHOOK_SECRETS": [OTHER], "LIVE_SECRET_KEY": OTHER}
    try:
        licenzy_settings()
    except ImproperlyConfigured:
        report = ExceptionReporter(RequestFactory().get("/"), *sys.exc_info())
        for text in (report.get_traceback_html(), report.get_traceback_text()):
            assert misspelt in text
            assert SECRET not in text
            assert OTHER not in text
    else:
        pytest.fail("a key that does not exist was accepted")
