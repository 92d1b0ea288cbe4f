"""The response headers of pages: nothing runs, nothing is loaded from elsewhere, nobody frames them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from axonflow_contracts.errors import Fault
from starlette.requests import Request

# Pages work without scripts, so none may run; one stylesheet and one picture come from this origin.
CONTENT_SECURITY_POLICY: Mapping[str, str] = MappingProxyType(
    {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
)

PAGE_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in CONTENT_SECURITY_POLICY.items()),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        "cache-control": "no-store",
    }
)


def refuse_other_sites(request: Request) -> None:
    """Refuse a form that a browser says another site sent.

    Browsers hide the origin of our own forms (Referrer-Policy), and over plain HTTP they say no more, so a form of
    which nothing is told is let through: only what writes nothing may rely on this alone.

    Raises:
        Fault: 403.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin", "null")
    ours = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if site not in {"same-origin", "none"} or origin not in {"null", ours}:
        raise Fault(403, "The form was sent from another site")
