"""One request in, one answer out: authorization, idempotency, faults, errors in Stripe's form."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

from ..clocks import owner
from ..conf import API_VERSION
from ..json_tree import Json, snapshot
from ..refusals import RefusalError
from ..rendering import render_object
from ..simulator import Simulator
from ..stores import Answer
from ..world import Cause
from . import faults, forms, params, simulated, versions
from .listing import expand
from .routes import Route, route

PAYMENT_REQUIRED = 402  # a declined card is an outcome: what happened stays, and the answer is kept
_LOST = {faults.DROP_AFTER: "Connection aborted", faults.TIMEOUT: "Read timed out"}
_KEYS = {"sk_test_": False, "rk_test_": False, "sk_live_": True, "rk_live_": True}


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    """Without host and query, beginning with /v1."""
    form: str
    """Query and body, still encoded."""
    headers: Mapping[str, str]
    """Lower-case names."""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Front:
    """Stripe's API on a simulator. ``handle`` raises nothing but a fault's ConnectionDroppedError."""

    def __init__(
        self, simulator: Simulator, *, page_base: Callable[[], str] | None = None, version: str = API_VERSION
    ) -> None:
        """``page_base`` answers where the simulator's pages are, without a slash at the end.

        ``version`` is the account's own, for requests that name none.
        """
        self.simulator = simulator
        if page_base:
            simulator.page_base = page_base
        self.version = version
        self.faults = faults.Faults()
        self.log: list[faults.LoggedRequest] = []
        self.log_limit = 1_000

    def handle(self, request: Request) -> Response:
        self._note(request)
        fault = self.faults.take(request.method, request.path)
        kind = fault.kind if fault else ""
        if fault and kind == "call_before" and fault.call:
            fault.call()
        if kind == faults.DROP_BEFORE:
            raise faults.ConnectionDroppedError("Connection aborted before the request was read")
        response = self._answer(request, kind, fault.call if fault and kind == "call_in_flight" else None)
        if fault and kind == "call_after" and fault.call:
            fault.call()
        if kind in _LOST:
            raise faults.ConnectionDroppedError(_LOST[kind])
        return response

    def _note(self, request: Request) -> None:
        try:
            parsed = forms.parse(request.form)
        except RefusalError:  # said in the answer
            parsed = {}
        self.log.append(faults.LoggedRequest(request.method, request.path, request.form, dict(request.headers), parsed))
        del self.log[: -self.log_limit]

    def _answer(self, request: Request, fault: str, in_flight: Callable[[], object] | None) -> Response:
        request_id = f"req_{secrets.token_hex(7)}"
        try:
            return self._execute(self._world(request.headers), request, request_id, fault, in_flight)
        except RefusalError as refusal:
            return _response(Answer(refusal.status, json.dumps(refusal.body()), request_id))

    def _execute(
        self, world: Simulator, request: Request, request_id: str, fault: str, in_flight: Callable[[], object] | None
    ) -> Response:
        if fault == faults.RATE_LIMIT:
            raise RefusalError("Request rate limit exceeded.", status=429, code="rate_limit")
        crash = fault == faults.SERVER_ERROR
        if request.method == "POST" and (key := request.headers.get("idempotency-key")):
            return self._once(world, request, Cause(request_id, key), crash=crash, in_flight=in_flight)
        return _response(self._run(world, request, Cause(request_id), crash=crash))

    def _world(self, headers: Mapping[str, str]) -> Simulator:
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            credentials = _user_of(credentials)
        for prefix, livemode in _KEYS.items():
            if credentials.startswith(prefix) and len(credentials) > len(prefix):
                return self.simulator if livemode == self.simulator.livemode else self.simulator.sibling(livemode)
        shown = f"{credentials[:8]}{'*' * 8}" if credentials else ""
        message = f"Invalid API Key provided: {shown}" if shown else "You did not provide an API key."
        raise RefusalError(message, status=401)

    def _once(
        self, world: Simulator, request: Request, cause: Cause, *, crash: bool, in_flight: Callable[[], object] | None
    ) -> Response:
        """Stripe's idempotency: the first answer again, 400 for other parameters, 409 while the first is running."""
        key = cause.idempotency_key or ""
        if len(key) > 255:
            raise RefusalError("Idempotency keys can be at most 255 characters long.", kind="idempotency_error")
        store = world.store
        claim = store.claim(key, _fingerprint(request))
        if claim.state == "mismatch":
            raise RefusalError(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
        if claim.state == "in_flight":
            raise RefusalError(
                f"There is currently another in-progress request using this Idempotent Key '{key}'.",
                status=409, kind="idempotency_error", code="idempotency_key_in_use",
            )  # fmt: skip
        if claim.answer:
            replayed = {"idempotent-replayed": "true", "original-request": claim.answer.request_id}
            return _response(claim.answer, **replayed)
        try:
            if in_flight:
                in_flight()
            with store.unit():
                answer = self._run(world, request, cause, crash=crash)
                store.keep_answer(key, answer)
        except BaseException:
            store.release(key)
            raise
        return _response(answer)

    def _run(self, world: Simulator, request: Request, cause: Cause, *, crash: bool = False) -> Answer:
        found, identifier = route(request.method, request.path)
        version = versions.checked(request.headers.get("stripe-version") or self.version)
        wanted = params.read(found.name, versions.translated(found.name, forms.parse(request.form), version))
        simulated.refuse_the_rest(found.name, wanted)
        request_id = cause.request_id or ""
        if crash:
            error = RefusalError("An unknown error occurred", status=500, kind="api_error")
            return Answer(500, json.dumps(error.body()), request_id)
        answer_shape = partial(render_object, api_version=version)
        if request.method == "GET":
            with world.reading():
                shown = self._perform(world, found, wanted, identifier)
            return Answer(200, json.dumps(answer_shape(shown), indent=2), request_id)
        with world.unit(), world.caused_by(cause):
            try:
                shown = self._perform(world, found, wanted, identifier)
            except RefusalError as refusal:
                if refusal.status != PAYMENT_REQUIRED:
                    raise
                return Answer(refusal.status, json.dumps(refusal.body()), request_id)
        return Answer(200, json.dumps(answer_shape(shown), indent=2), request_id)

    def _perform(self, world: Simulator, found: Route, wanted: Json, identifier: str) -> Json:
        params = {key: value for key, value in wanted.items() if key != "expand"}
        with world.on_clock_of(None if found.method == "GET" else owner(world, wanted, identifier)):
            shown = snapshot(found.run(world, params, identifier))
        return expand(world, shown, wanted.get("expand") or [])


def _user_of(credentials: str) -> str:
    """The user name of HTTP's basic authentication, which is where Stripe's key stands."""
    try:
        return base64.b64decode(credentials + "==").decode("ascii", "replace").partition(":")[0]
    except ValueError:
        return ""


def _fingerprint(request: Request) -> str:
    return hashlib.sha256(f"{request.method} {request.path}\n{request.form}".encode()).hexdigest()


def _response(answer: Answer, **more: str) -> Response:
    headers = {"content-type": "application/json", "request-id": answer.request_id, **more}
    if answer.status == 429 or (answer.status >= 500):
        headers["stripe-should-retry"] = "false" if answer.status >= 500 else "true"
    return Response(answer.status, answer.body.encode(), headers)


def request_from_url(method: str, url: str, body: str, headers: Mapping[str, str], *, prefix: str = "") -> Request:
    """A request as an HTTP client has it: whole address, form in query or body."""
    parts = urlsplit(url)
    path = parts.path.removeprefix(prefix)
    form = "&".join(part for part in (parts.query, body) if part)
    return Request(method.upper(), path, form, {name.lower(): value for name, value in headers.items()})
