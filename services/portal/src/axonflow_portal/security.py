"""The response headers of pages: nothing runs, nothing is loaded from elsewhere, nobody frames them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

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
