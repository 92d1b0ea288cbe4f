"""S3 and what speaks like it: objects of one bucket below one prefix are listed, read, put and deleted."""

from __future__ import annotations

import datetime as dt
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from axonflow_outbound import Answer, Outbound
from axonflow_outbound.sigv4 import AwsKey, encoded_path, encoded_query, signed_headers

from axonflow_connectors.faults import ConnectorFault, FaultKind
from axonflow_connectors.gathering import Gathering, text_or_base64, within
from axonflow_connectors.http_answers import endpoint_of, send
from axonflow_connectors.protocol import Call, Capability, Connector, Limits, Rows, Written
from axonflow_connectors.specification import Configuration, ConnectorSpec, Field, Surroundings
from axonflow_connectors.templates import scalar

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9-]{1,32}")
_LONGEST_KEY = 1024
_PAGE = 1000
_LIST_BYTES = 8_388_608  # a page of 1000 keys of 1024 bytes, each at worst escaped
_DEFAULT_TYPE = "application/octet-stream"


class S3(Connector):
    """One bucket, or the part of it below a prefix."""

    capabilities = frozenset({Capability.QUERY, Capability.EXECUTE})

    def __init__(self, configuration: Configuration, outbound: Outbound) -> None:
        self._origin, self._host, self._root = _address(configuration)
        self._prefix = configuration.text("prefix")
        self._key = AwsKey(
            configuration.secret("access_key_id"),
            configuration.secret("secret_access_key"),
            configuration.secret("session_token"),
            configuration.text("region"),
        )
        self._outbound = outbound

    async def test(self) -> Mapping[str, str]:
        """List one object."""
        pairs = [("list-type", "2"), ("max-keys", "1"), ("prefix", self._prefix)]
        await self._send("GET", "", pairs=pairs, limits=Limits(max_bytes=_LIST_BYTES, timeout_s=10))
        return {}

    async def query(self, call: Call) -> Rows:
        """``list_objects`` (``prefix``) or ``get_object`` (``key``)."""
        operation = call.statement.strip()
        async with within(call.limits.timeout_s):
            if operation == "list_objects":
                return await self._list(_parameters(call.parameters, {"prefix"}, set()), call.limits)
            if operation == "get_object":
                return await self._get(_parameters(call.parameters, {"key"}, {"key"}), call.limits)
        kind = FaultKind.READ_ONLY if operation in {"put_object", "delete_object"} else FaultKind.REQUEST
        raise ConnectorFault(kind, "Here the operation must be list_objects or get_object")

    async def execute(self, call: Call) -> Written:
        """``put_object`` (``key``, ``body``, perhaps ``content_type``) or ``delete_object`` (``key``)."""
        operation, gathering = call.statement.strip(), Gathering(call.limits)
        if operation == "put_object":
            given = _parameters(call.parameters, {"key", "body", "content_type"}, {"key", "body"})
            headers = {"Content-Type": given.get("content_type", _DEFAULT_TYPE)}
            name, method, body = self._name(given["key"]), "PUT", given["body"].encode()
        elif operation == "delete_object":
            given = _parameters(call.parameters, {"key"}, {"key"})
            name, method, body, headers = self._name(given["key"]), "DELETE", b"", {}
        else:
            raise ConnectorFault(FaultKind.REQUEST, "Here the operation must be put_object or delete_object")
        async with within(call.limits.timeout_s):
            answer = await self._send(method, name, limits=call.limits, body=body, headers=headers)
        gathering.add({"key": given["key"], "etag": answer.headers.get("ETag", "").strip('"')})
        return Written(rows_affected=1, answer=gathering.finish())

    async def close(self) -> None:
        """Connections belong to the deployment's outbound client."""

    async def _list(self, given: Mapping[str, str], limits: Limits) -> Rows:
        gathering, token = Gathering(limits), ""
        prefix = self._prefix + given.get("prefix", "")
        paging = Limits(max_rows=limits.max_rows, max_bytes=_LIST_BYTES, timeout_s=limits.timeout_s)
        while True:
            pairs = [("list-type", "2"), ("max-keys", str(_PAGE)), ("prefix", prefix)]
            pairs += [("continuation-token", token)] if token else []
            found, token = _listed((await self._send("GET", "", pairs=pairs, limits=paging)).body)
            rows = [{**row, "key": row["key"].removeprefix(self._prefix)} for row in found]
            if not gathering.add_all(rows) or not token or not rows:
                return gathering.finish()

    async def _get(self, given: Mapping[str, str], limits: Limits) -> Rows:
        gathering = Gathering(limits)
        answer = await self._send("GET", self._name(given["key"]), limits=limits)
        row = {
            "key": given["key"],
            "content_type": answer.headers.get("Content-Type", _DEFAULT_TYPE),
            "size": len(answer.body),
            "body": text_or_base64(answer.body),
        }
        if not gathering.add(row):
            raise ConnectorFault(FaultKind.TOO_LARGE, "The object is larger than the byte limit")
        return gathering.finish()

    def _name(self, key: str) -> str:
        """The object's full name; what lies on the way to it must not read it as a path that climbs."""
        name = self._prefix + key
        if any(segment in {".", ".."} for segment in name.split("/")) or name.startswith("/"):
            raise ConnectorFault(FaultKind.REQUEST, "A key must not begin with a slash or hold . or .. segments")
        if len(name.encode()) > _LONGEST_KEY:
            raise ConnectorFault(FaultKind.REQUEST, f"A key has at most {_LONGEST_KEY} bytes")
        return name

    async def _send(
        self,
        method: str,
        name: str,
        *,
        limits: Limits,
        pairs: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        path, query = f"{self._root}/{encoded_path(name)}", encoded_query(pairs)
        now = dt.datetime.now(dt.UTC)
        signed = signed_headers(self._key, method, self._host, path, query, body=body, now=now, headers=headers)
        url = f"{self._origin}{path}{'?' if query else ''}{query}"
        return await send(self._outbound, method, url, headers=signed, limits=limits, body=body or None)


def _address(given: Configuration) -> tuple[str, str, str]:
    """Origin, Host header and path before the key: of AWS by the bucket's host, of an endpoint by its path."""
    bucket, region = given.text("bucket"), given.text("region")
    if not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise ConnectorFault(FaultKind.CONFIGURATION, "options.bucket is no bucket's name")
    if not _REGION.fullmatch(region):
        raise ConnectorFault(FaultKind.CONFIGURATION, "options.region is no region's name")
    endpoint = given.text("endpoint").rstrip("/")
    if not endpoint and "." in bucket:  # its host would not be covered by the certificate
        endpoint = f"https://s3.{region}.amazonaws.com"
    if not endpoint:
        host = f"{bucket}.s3.{region}.amazonaws.com"
        return f"https://{host}", host, ""
    endpoint_of(endpoint)
    parts = urlsplit(endpoint)
    if parts.path or parts.query or parts.fragment:
        raise ConnectorFault(FaultKind.CONFIGURATION, "options.endpoint must be scheme, host and port alone")
    port = "" if parts.port in {None, {"http": 80, "https": 443}[parts.scheme]} else f":{parts.port}"
    host = f"{parts.netloc.rsplit(':', 1)[0] if parts.port else parts.netloc}{port}".lower()
    return f"{parts.scheme}://{host}", host, f"/{bucket}"


def _listed(body: bytes) -> tuple[list[dict[str, Any]], str]:
    """Rows of one page of a listing, and the token of the next page."""
    if b"<!" in body:  # no listing has a document type, and entities are how XML swells
        raise ConnectorFault(FaultKind.FAILED, "The listing is not in a form that is read")
    try:
        root = ET.fromstring(body)  # noqa: S314 - without a document type there are no entities to expand
    except ET.ParseError as error:
        raise ConnectorFault(FaultKind.FAILED, "The listing is no valid XML") from error
    space = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
    rows = [
        {
            "key": item.findtext(f"{space}Key", ""),
            "size": _size(item.findtext(f"{space}Size", "")),
            "last_modified": item.findtext(f"{space}LastModified", ""),
            "etag": item.findtext(f"{space}ETag", "").strip('"'),
        }
        for item in root.iter(f"{space}Contents")
    ]
    more = root.findtext(f"{space}IsTruncated", "false") == "true"
    return rows, root.findtext(f"{space}NextContinuationToken", "") if more else ""


def _size(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 20 else None


def _parameters(parameters: Any, legal: set[str], required: set[str]) -> dict[str, str]:
    if not isinstance(parameters, Mapping):
        parameters = {"": parameters} if parameters else {}
    if strangers := sorted(set(parameters) - legal):
        raise ConnectorFault(FaultKind.REQUEST, f"This operation has no parameter {strangers[0][:64]}")
    if missing := sorted(name for name in required if name not in parameters):
        raise ConnectorFault(FaultKind.REQUEST, f"This operation needs the parameter {missing[0]}")
    found = {name: scalar(name, value) for name, value in parameters.items() if name != "body"}
    if "body" in parameters:
        if not isinstance(parameters["body"], str):
            raise ConnectorFault(FaultKind.REQUEST, "The parameter body must be a text")
        found["body"] = parameters["body"]
    return found


def _verify(configuration: Configuration, _surroundings: Surroundings) -> None:
    _address(configuration)


async def _open(configuration: Configuration, surroundings: Surroundings) -> Connector:
    return S3(configuration, surroundings.outbound)


SPEC = ConnectorSpec(
    type="s3",
    title="S3-compatible storage",
    description="list_objects, get_object, put_object and delete_object in one bucket.",
    category="storage",
    tags=("object-storage",),
    fields=(
        Field(name="bucket", help="Bucket.", required=True),
        Field(name="region", help="Region that signatures are made for.", default="us-east-1"),
        Field(name="endpoint", help="Address of a compatible service; unset: Amazon's.", kind="url"),
        Field(name="prefix", help="Only objects below it are seen, and it is put before every key.", default=""),
        Field(name="access_key_id", help="Access key.", kind="secret", required=True),
        Field(name="secret_access_key", help="Its secret.", kind="secret", required=True),
        Field(name="session_token", help="For temporary credentials.", kind="secret"),
    ),
    capabilities=S3.capabilities,
    open=_open,
    endpoints=lambda given: (endpoint_of(_address(given)[0]),),
    verify=_verify,
)
