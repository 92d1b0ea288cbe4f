"""Redis and what speaks like it: single commands from two short lists; no scripts, no configuration, no KEYS."""

from __future__ import annotations

import contextlib
import itertools
import re
import shlex
from collections.abc import AsyncIterator, Mapping
from typing import Any

from axonflow_connectors.dialling import dial_target, tls_context, unreachable
from axonflow_connectors.faults import ConnectorFault, FaultKind
from axonflow_connectors.gathering import Gathering, text_or_base64, within
from axonflow_connectors.protocol import Call, Capability, Connector, Limits, Rows, Written
from axonflow_connectors.resp import Reply, RespBroken, RespConnection, RespRefused, RespTooLarge
from axonflow_connectors.spares import Spares
from axonflow_connectors.specification import Configuration, ConnectorSpec, Endpoint, Field, Surroundings
from axonflow_connectors.templates import scalar

_READS = (
    ("GET", "MGET", "STRLEN", "GETRANGE"),
    ("EXISTS", "TTL", "PTTL", "TYPE", "SCAN", "DBSIZE", "PING"),
    ("HGET", "HMGET", "HGETALL", "HKEYS", "HVALS", "HLEN", "HEXISTS", "HSCAN"),
    ("LRANGE", "LLEN", "LINDEX"),
    ("SCARD", "SISMEMBER", "SMISMEMBER", "SMEMBERS", "SSCAN"),
    ("ZRANGE", "ZREVRANGE", "ZRANGEBYSCORE", "ZCARD", "ZSCORE", "ZRANK", "ZCOUNT", "ZSCAN"),
    ("XRANGE", "XREVRANGE", "XLEN"),
)
_WRITES = (
    ("SET", "SETEX", "SETNX", "MSET", "APPEND", "INCR", "INCRBY", "DECR", "DECRBY"),
    ("DEL", "UNLINK", "EXPIRE", "PEXPIRE", "PERSIST"),
    ("HSET", "HDEL", "HINCRBY"),
    ("LPUSH", "RPUSH", "LPOP", "RPOP", "LTRIM", "LREM"),
    ("SADD", "SREM", "ZADD", "ZREM", "ZINCRBY", "XADD", "XDEL"),
)
READS = frozenset(itertools.chain.from_iterable(_READS))
WRITES = frozenset(itertools.chain.from_iterable(_WRITES))
_PAIRS = {"HGETALL"}
_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_BAD_CREDENTIALS = {"NOAUTH", "WRONGPASS", "NOPERM"}
_CODE = re.compile(r"[A-Z]{2,32}")
_SMALL = 65_536
_UNLIMITED = 1 << 40
_CONNECT_TIMEOUT_S = 10.0
_MOST_WORDS = 1000
_LONGEST_COMMAND = (
    64 * 1024
)  # characters; taking words apart costs a microsecond for each, and long values are parameters


class Redis(Connector):
    """One database of one server."""

    capabilities = frozenset({Capability.QUERY, Capability.EXECUTE})

    def __init__(self, configuration: Configuration, surroundings: Surroundings) -> None:
        self._given = configuration
        self._outbound = surroundings.outbound
        self._spares: Spares[RespConnection] = Spares(self._dial, _clean, RespConnection.close)

    async def test(self) -> Mapping[str, str]:
        """PING."""
        await self._ask([b"PING"], Limits(max_bytes=_SMALL, timeout_s=_CONNECT_TIMEOUT_S))
        return {"server": "Redis"}

    async def query(self, call: Call) -> Rows:
        """One reading command, such as ``HGETALL user:{id}``."""
        words = _words(call)
        name = words[0].upper()
        if name not in READS:
            kind = FaultKind.READ_ONLY if name in WRITES else FaultKind.REQUEST
            raise ConnectorFault(kind, "This is no command that reads from the list of this connector")
        return await self._rows(name, words, call.limits)

    async def execute(self, call: Call) -> Written:
        """One writing command; its reply is the answer."""
        words = _words(call)
        name = words[0].upper()
        if name not in WRITES:
            raise ConnectorFault(FaultKind.REQUEST, "This is no command that writes from the list of this connector")
        answer = await self._rows(name, words, call.limits)
        first = answer.rows[0].get("value") if answer.rows else None
        return Written(rows_affected=first if type(first) is int else -1, answer=answer)

    async def close(self) -> None:
        """Close the idle connections."""
        await self._spares.close()

    async def _rows(self, name: str, words: list[str], limits: Limits) -> Rows:
        gathering = Gathering(limits)
        command = [name.encode(), *(word.encode() for word in words[1:])]
        reply = _plain(await self._ask(command, limits))
        if name in _PAIRS and isinstance(reply, list):
            gathering.add_all({"field": reply[at], "value": reply[at + 1]} for at in range(0, len(reply) - 1, 2))
        else:
            gathering.add_all({"value": item} for item in (reply if isinstance(reply, list) else [reply]))
        return gathering.finish()

    async def _ask(self, command: list[bytes], limits: Limits) -> Reply:
        async with within(limits.timeout_s), _faults(), self._spares.take() as connection:
            return await connection.ask(command, limits.max_bytes or _UNLIMITED)

    async def _dial(self) -> RespConnection:
        given = self._given
        target = await dial_target(self._outbound, given.text("host"), given.number("port"))
        mode = given.text("tls")
        tls = None if mode == "off" else tls_context(given.text("ca_certificate"), verify=mode == "verify")
        async with within(_CONNECT_TIMEOUT_S):
            connection = await RespConnection.dial(target, tls)
            try:
                if password := given.secret("password"):
                    names = [given.text("username").encode()] if given.text("username") else []
                    await connection.ask([b"AUTH", *names, password.encode()], _SMALL)
                if number := given.number("database"):
                    await connection.ask([b"SELECT", str(number).encode()], _SMALL)
            except BaseException:
                await connection.close()
                raise
        return connection


async def _clean(connection: RespConnection) -> bool:
    """Whether the server is still there; none of the commands leaves anything in a session."""
    try:
        await connection.ask([b"PING"], _SMALL)
    except (RespRefused, RespTooLarge, RespBroken, OSError, EOFError):
        return False
    return True


def _words(call: Call) -> list[str]:
    """The command line as words, with parameters in their places or behind it; a value never becomes two words."""
    if len(call.statement) > _LONGEST_COMMAND:
        raise ConnectorFault(FaultKind.REQUEST, "The command is too long: give long values as parameters")
    try:
        words = shlex.split(call.statement)
    except ValueError:
        raise ConnectorFault(FaultKind.REQUEST, "The command has an open quotation mark") from None
    parameters = call.parameters
    if isinstance(parameters, Mapping):
        words = [_PLACE.sub(lambda match: _value(match.group(1), parameters), word) for word in words]
    else:
        words += [str(value) if isinstance(value, str) else scalar("value", value) for value in parameters]
    if not words or len(words) > _MOST_WORDS:
        raise ConnectorFault(FaultKind.REQUEST, f"A command has from 1 to {_MOST_WORDS} words")
    if any("\ud800" <= character <= "\udfff" for word in words for character in word):
        raise ConnectorFault(FaultKind.REQUEST, "The command is no valid Unicode")
    return words


def _value(name: str, parameters: Mapping[str, Any]) -> str:
    if name not in parameters:
        raise ConnectorFault(FaultKind.REQUEST, f"The command names {{{name[:64]}}}, which is not among the parameters")
    value = parameters[name]
    return value if isinstance(value, str) else scalar(name, value)


def _plain(reply: Reply) -> Any:
    if isinstance(reply, bytes):
        return text_or_base64(reply)
    return [_plain(item) for item in reply] if isinstance(reply, list) else reply


@contextlib.asynccontextmanager
async def _faults() -> AsyncIterator[None]:
    try:
        yield
    except RespRefused as error:
        if error.code in _BAD_CREDENTIALS:
            raise ConnectorFault(
                FaultKind.CREDENTIALS, "Redis did not accept the credentials, or they do not allow this"
            ) from error
        code = error.code if _CODE.fullmatch(error.code) else "ERR"
        raise ConnectorFault(FaultKind.FAILED, f"Redis refused the command ({code})") from error
    except RespTooLarge as error:
        raise ConnectorFault(FaultKind.TOO_LARGE, "The answer is larger than the byte limit") from error
    except RespBroken as error:
        raise ConnectorFault(FaultKind.FAILED, "The server does not speak the Redis protocol") from error
    except (OSError, EOFError) as error:
        raise unreachable(error) from error


def _verify(configuration: Configuration, _surroundings: Surroundings) -> None:
    if configuration.text("ca_certificate"):
        tls_context(configuration.text("ca_certificate"), verify=True)


async def _open(configuration: Configuration, surroundings: Surroundings) -> Connector:
    return Redis(configuration, surroundings)


SPEC = ConnectorSpec(
    type="redis",
    title="Redis",
    description="Single commands; values go into {places} of the command line.",
    category="cache",
    tags=("key-value",),
    fields=(
        Field(name="host", help="Name or address of the server.", required=True),
        Field(name="port", help="Port.", kind="integer", default=6379, low=1, high=65535),
        Field(name="database", help="Number of the database.", kind="integer", default=0, low=0, high=1023),
        Field(name="username", help="ACL user; empty for the default one."),
        Field(name="password", help="Its password.", kind="secret"),
        Field(
            name="tls",
            help="verify checks the certificate and the name in it; require encrypts only.",
            kind="choice",
            choices=("off", "require", "verify"),
            default="off",
        ),
        Field(name="ca_certificate", help="Authority to verify the server by, in PEM.", multiline=True),
    ),
    capabilities=Redis.capabilities,
    open=_open,
    endpoints=lambda given: (Endpoint(host=given.text("host"), port=given.number("port")),),
    verify=_verify,
)
