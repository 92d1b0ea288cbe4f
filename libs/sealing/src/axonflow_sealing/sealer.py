"""Seals small values for the database: AES-256-GCM under a key of their own, bound to the place where they stand.

A sealed value is ``version ‖ key id ‖ salt ‖ nonce ‖ ciphertext ‖ tag``. Each has a key derived from the deployment's
key and a random salt (HKDF-SHA256), so that the number of values under one key sets no limit (NIST SP 800-38D §8.3).
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterable

from axonflow_settings import Secret
from axonflow_settings.core import key_bytes
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from axonflow_sealing.errors import CannotOpen, KeyNotGiven, SealingUnavailable

VERSION = b"\x01"
KEY_BYTES = 32
_ID_BYTES, _SALT_BYTES, _NONCE_BYTES, _TAG_BYTES = 8, 16, 12, 16
_HEAD_BYTES = len(VERSION) + _ID_BYTES + _SALT_BYTES + _NONCE_BYTES


@dataclasses.dataclass(frozen=True, slots=True)
class SealingContext:
    """The place of a sealed value; it opens nowhere else.

    Attributes:
        org_id: the owner.
        purpose: what it is for, such as ``connector.credentials``.
        row_id: the row that holds it.
    """

    org_id: str
    purpose: str
    row_id: str

    def encoded(self) -> bytes:
        """Unambiguous bytes: each part behind its length."""
        parts = (part.encode("utf-8", "surrogatepass") for part in (self.org_id, self.purpose, self.row_id))
        return b"".join(len(part).to_bytes(4) + part for part in parts)


class Sealer:
    """Seals with the first key and opens with any; without keys it refuses both and says what to do."""

    def __init__(self, keys: Iterable[Secret]) -> None:
        """Take keys, the current one first.

        Raises:
            ValueError: a key is not 32 bytes as hex or base64.
        """
        self._keys: dict[bytes, bytes] = {}
        for key in keys:
            raw = key_bytes(key.reveal())
            self._keys.setdefault(_key_id(raw), raw)

    @property
    def available(self) -> bool:
        """Whether anything can be sealed."""
        return bool(self._keys)

    def seal(self, value: bytes, *, context: SealingContext) -> bytes:
        """``value`` for the place named by ``context``; twice the same value gives two unlike results.

        Raises:
            SealingUnavailable: the deployment has no key.
        """
        key_id, key = self._current()
        salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
        head = VERSION + key_id + salt + nonce
        return head + AESGCM(_derived(key, salt)).encrypt(nonce, value, head + context.encoded())

    def open(self, sealed: bytes, *, context: SealingContext) -> bytes:
        """The value that was sealed for this very place.

        Raises:
            SealingUnavailable: the deployment has no key.
            CannotOpen: altered, moved, or sealed under a key that is not given.
        """
        self._current()
        head, rest = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES:]
        if len(rest) < _TAG_BYTES or head[:1] != VERSION:
            raise CannotOpen("The value is not in a form that this release seals")
        key = self._keys.get(_id_of(head))
        if key is None:
            raise KeyNotGiven(
                "The value was sealed under a key that is not given: AXONFLOW_SEALING_KEY_PREVIOUS takes the one before"
            )
        salt, nonce = head[-_NONCE_BYTES - _SALT_BYTES : -_NONCE_BYTES], head[-_NONCE_BYTES:]
        try:
            return AESGCM(_derived(key, salt)).decrypt(nonce, rest, head + context.encoded())
        except InvalidTag as error:
            raise CannotOpen("The value was altered, or belongs to another place") from error

    def is_current(self, sealed: bytes) -> bool:
        """Whether ``sealed`` is under the current key; if not, open it and seal it again."""
        return sealed[:1] == VERSION and bool(self._keys) and _id_of(sealed) == self._current()[0]

    def _current(self) -> tuple[bytes, bytes]:
        if not self._keys:
            raise SealingUnavailable
        return next(iter(self._keys.items()))


def _id_of(head: bytes) -> bytes:
    return head[len(VERSION) : len(VERSION) + _ID_BYTES]


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"axonflow sealing key id\x00" + key).digest()[:_ID_BYTES]


def _derived(key: bytes, salt: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt, b"axonflow sealing v1").derive(key)
