"""A conversation as alternating turns beside one system text, for the formats that take it in no other way."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from axonflow_providers.protocol import FaultKind, Image, Message, ProviderFault, Role


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one side says before the other does; no text is empty."""

    role: Role
    texts: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """All turns, no two of one role in a row, and the system messages as one text."""

    system: str
    turns: tuple[Turn, ...]


def conversation(messages: Iterable[Message], *further_system: str) -> Conversation:
    """The messages as turns; system messages are joined by blank lines, wherever they stood.

    Args:
        messages: in their order.
        further_system: texts that follow those of the system messages.

    Raises:
        ProviderFault: ``INVALID_REQUEST``: nothing is said, or somebody but the user shows a picture.
    """
    system: list[str] = []
    turns: list[Turn] = []
    for message in messages:
        if message.images and message.role is not Role.USER:
            raise ProviderFault(FaultKind.INVALID_REQUEST, "Only a user's message may hold a picture")
        if message.role is Role.SYSTEM:
            system.append(message.text)
        elif message.text or message.images:
            _say(turns, message)
    if not turns:
        raise ProviderFault(FaultKind.INVALID_REQUEST, "No message of a user is given")
    return Conversation(system="\n\n".join(filter(None, (*system, *further_system))), turns=tuple(turns))


def _say(turns: list[Turn], message: Message) -> None:
    texts = (message.text,) if message.text else ()
    if turns and turns[-1].role is message.role:
        last = turns.pop()
        texts, images = (*last.texts, *texts), (*last.images, *message.images)
    else:
        images = message.images
    turns.append(Turn(role=message.role, texts=texts, images=images))


def image_format(image: Image) -> str:
    """``png``, ``jpeg``, ``gif`` or ``webp``: what Claude and the models behind Bedrock see.

    Raises:
        ProviderFault: ``INVALID_REQUEST``: another kind.
    """
    kind = image.mime_type.removeprefix("image/")
    if kind not in {"png", "jpeg", "gif", "webp"}:
        raise ProviderFault(FaultKind.INVALID_REQUEST, "The provider takes PNG, JPEG, GIF and WebP pictures only")
    return kind
