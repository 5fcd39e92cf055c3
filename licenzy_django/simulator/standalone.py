"""The simulator alone, at the root of a port of its own: for tools that know no path in front of ``/v1``."""

from __future__ import annotations

import socket
from wsgiref.simple_server import WSGIServer

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import include, path

from . import account, worker

urlpatterns = [path("", include("licenzy_django.simulator.urls"))]


class StandaloneHandler(WSGIHandler):
    """The host's middleware, and no address but the simulator's."""

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        request.urlconf = __name__
        return super().get_response(request)


def server(host: str, port: int, *, version: str = "") -> WSGIServer:
    """Bound, not yet serving; port 0 takes a free one. ``version`` is the account's, for requests that name none."""
    found = ThreadedWSGIServer((host, port), WSGIRequestHandler, ipv6=":" in host)
    found.daemon_threads = True
    found.set_app(StandaloneHandler())
    account.serve_at(address(found), version=version)
    worker.ensure_running()
    return found


def address(serving: WSGIServer) -> str:
    """Scheme, host and port, without a slash at the end."""
    host, port = str(serving.server_address[0]), serving.server_port
    shown = f"[{host}]" if serving.address_family == socket.AF_INET6 else host
    return f"http://{shown}:{port}"
