"""Billing portal sessions and webhook endpoints."""

from __future__ import annotations

import secrets

from licenzy_django.outbound.addresses import AddressRefused

from .. import reach
from ..json_tree import Json
from ..refusals import invalid, missing
from ..world import World
from . import customers, portal_configurations, portal_flows


def create_session(world: World, wanted: Json) -> Json:
    if not wanted.get("customer"):
        raise missing("customer")
    customers.existing(world, wanted["customer"], param="customer")
    configuration = portal_configurations.wanted(world, wanted.get("configuration"))
    flow = (
        portal_flows.check(world, wanted["customer"], configuration, wanted["flow_data"])
        if "flow_data" in wanted
        else None
    )
    session_id = world.new_id("bps")
    session: Json = {
        "id": session_id,
        "object": "billing_portal.session",
        "configuration": configuration["id"],
        "created": world.now,
        "customer": wanted["customer"],
        "customer_account": None,
        "flow": flow,
        "livemode": world.livemode,
        "locale": wanted.get("locale"),
        "on_behalf_of": None,
        "return_url": wanted.get("return_url") or configuration["default_return_url"],
        "url": f"{world.page_base()}/portal/{session_id}",
    }
    return world.add(session)


def create_endpoint(world: World, wanted: Json) -> Json:
    """The secret is shown in the answer to the creation and never again."""
    _check_url(wanted.get("url"))
    endpoint: Json = {
        "id": world.new_id("we"),
        "object": "webhook_endpoint",
        "api_version": wanted.get("api_version"),
        "application": None,
        "created": world.now,
        "description": wanted.get("description"),
        "enabled_events": list(wanted.get("enabled_events") or ["*"]),
        "livemode": world.livemode,
        "metadata": dict(wanted.get("metadata") or {}),
        "status": "enabled",
        "url": wanted["url"],
        "_secret": f"whsec_{secrets.token_hex(16)}",
    }
    return world.add(endpoint)


def update_endpoint(world: World, endpoint: Json, wanted: Json) -> Json:
    if "url" in wanted:
        _check_url(wanted["url"])
    with world.changing(endpoint):
        for name in ("url", "description", "enabled_events"):
            endpoint[name] = wanted.get(name, endpoint[name])
        if "disabled" in wanted:
            endpoint["status"] = "disabled" if wanted["disabled"] else "enabled"
        customers.merge_metadata(endpoint, wanted)
    return endpoint


def _check_url(url: str | None) -> None:
    if not url:
        raise missing("url")
    try:
        reach.check(url)
    except AddressRefused as refusal:
        raise invalid(f"Invalid URL: {refusal}", "url", "url_invalid") from None
