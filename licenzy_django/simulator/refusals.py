"""What Stripe says no to, in Stripe's own words and codes."""

from __future__ import annotations

from .json_tree import Json


class RefusalError(Exception):
    """An error answer of the simulated Stripe, raised by a verb or sent over the API."""

    def __init__(
        self, message: str, *, status: int = 400, kind: str = "invalid_request_error", code: str = "", param: str = ""
    ) -> None:
        super().__init__(message)
        self.message, self.status, self.kind, self.code, self.param = message, status, kind, code, param

    def body(self) -> Json:
        error: Json = {"type": self.kind, "message": self.message}
        if self.code:
            page = self.code.replace("_", "-")
            error |= {"code": self.code, "doc_url": f"https://stripe.com/docs/error-codes/{page}"}
        if self.param:
            error["param"] = self.param
        return {"error": error}


def no_such(kind: str, identifier: str, *, param: str = "") -> RefusalError:
    """404 for the object that a path names (``param`` "id"), 400 for one that a parameter names."""
    label = {"checkout.session": "checkout.session", "billing_portal.session": "portal session"}.get(kind, kind)
    status = 404 if param in ("", "id") else 400
    return RefusalError(f"No such {label}: '{identifier}'", status=status, code="resource_missing", param=param or "id")


def missing(param: str) -> RefusalError:
    return RefusalError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def invalid(message: str, param: str, code: str = "") -> RefusalError:
    return RefusalError(message, param=param, code=code)
