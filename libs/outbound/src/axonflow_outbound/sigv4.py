"""AWS Signature Version 4: a signature over method, path, query, signed headers and the body's hash.

Sources: "Authenticating Requests: Using the Authorization Header", Amazon S3 API reference; "Create a signed AWS API
request", AWS IAM user guide, for the other services, which encode the path once more.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import quote

_ALGORITHM = "AWS4-HMAC-SHA256"
_S3 = "s3"


@dataclasses.dataclass(frozen=True, slots=True)
class AwsKey:
    """Credentials of one principal, and the region that a signature is good for."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    region: str

    def __repr__(self) -> str:
        return "AwsKey(********)"


def encoded_path(key: str) -> str:
    """A key as it stands in a path: each byte but the unreserved ones encoded once, slashes kept."""
    return quote(key, safe="/-_.~")


def encoded_query(pairs: Iterable[tuple[str, str]]) -> str:
    """A query in the one order and form that is signed, which is also how it is sent: by names, then by values."""
    encoded = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def signed_headers(
    key: AwsKey,
    method: str,
    host: str,
    path: str,
    query: str,
    *,
    body: bytes,
    now: dt.datetime,
    headers: Mapping[str, str] | None = None,
    service: str = _S3,
) -> dict[str, str]:
    """The headers to send: those given, the date, the body's hash and ``Authorization``.

    Args:
        key: whose signature.
        method: in capitals.
        host: as it will be sent, with the port if it is not the scheme's own.
        path: encoded, as it will be sent.
        query: as ``encoded_query`` makes it.
        body: hashed, so that it cannot be changed on the way.
        now: UTC.
        headers: further ones to sign.
        service: as credential scopes name it, such as ``bedrock``.
    """
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    sent = {**(headers or {}), "x-amz-content-sha256": digest, "x-amz-date": stamp}
    if key.session_token:
        sent["x-amz-security-token"] = key.session_token
    signed = {name.lower(): " ".join(value.split()) for name, value in {**sent, "host": host}.items()}
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    canonical = path if service == _S3 else encoded_path(path)
    request = f"{method}\n{canonical}\n{query}\n{lines}\n{names}\n{digest}"
    scope = f"{stamp[:8]}/{key.region}/{service}/aws4_request"
    to_sign = "\n".join([_ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
    signature = _mac(_signing_key(key, stamp[:8], service), to_sign).hex()
    sent["Authorization"] = (
        f"{_ALGORITHM} Credential={key.access_key_id}/{scope},SignedHeaders={names},Signature={signature}"
    )
    return sent


def _signing_key(key: AwsKey, day: str, service: str) -> bytes:
    secret = f"AWS4{key.secret_access_key}".encode()
    for part in (day, key.region, service, "aws4_request"):
        secret = _mac(secret, part)
    return secret


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
