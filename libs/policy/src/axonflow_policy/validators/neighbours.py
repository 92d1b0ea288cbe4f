"""What stands around a number: whether it is cut out of a longer one, or said to be a number of something else."""

from __future__ import annotations

import re

from axonflow_policy.validators.adjacent import one_begins_after, one_ends_before
from axonflow_policy.validators.found import Found

# Contract, agent section 3.3: matches are judged with 50 characters of context.
CONTEXT = 50

_GLUED_BEFORE = re.compile(r"(?:[A-Za-z0-9_.@/\\$#-]|::)\Z")
_GLUED_AFTER = re.compile(r"[A-Za-z0-9_@$]|[-./\\][A-Za-z0-9]")
_LAST_GROUP, _NEXT_GROUP = re.compile(r"\d[ -]\Z"), re.compile(r" \d")
_OTHER_NUMBER = re.compile(
    r"\b(?:order|invoice|ticket|case|tracking|waybill|consignment|shipment|parcel|delivery|voucher|coupon|sku|serial"
    r"|part|product|item|model|batch|lot|build|commit|version|container|counter|transaction|txn|trace|request|session"
    r"|ref(?:erence)?|isbn|ean|upc|gtin|imei|timestamp|epoch|offset|seed|key|licen[cs]e|seat|bin|rack|valve|locker"
    r"|drawing|page|row|record|node|port|sensor|device|asset|meter)s?\b"
    r"[\s.:#=\"']*(?:(?:code|number|no\.?|num|id|ref|key|map|fragment)\b[\s.:#=\"']*){0,2}(?:is|was)?[\s\"']*\Z",
    re.IGNORECASE,
)


def stands_alone(found: Found) -> bool:
    """The value is not a piece of a longer word, number, path or address."""
    before, after = found.before(2), found.after(2)
    if _GLUED_BEFORE.search(before) or _GLUED_AFTER.match(after):
        return False
    # Digits beside a blank are of the same number where that begins or ends in a digit, not where in a letter.
    comes_on = found.value[:1].isdigit() and _LAST_GROUP.search(before) is not None
    goes_on = found.value[-1:].isdigit() and _NEXT_GROUP.match(after) is not None
    return not (comes_on and not one_ends_before(found)) and not (goes_on and not one_begins_after(found))


def named_otherwise(found: Found) -> bool:
    """The words right before it say that it is a number of something else: an order, a part, a parcel."""
    return _OTHER_NUMBER.search(found.before(CONTEXT)) is not None


def unclaimed(found: Found) -> bool:
    """It stands alone and nothing says that it is a number of something else."""
    return stands_alone(found) and not named_otherwise(found)


def digits_of(text: str) -> str:
    """The ASCII digits of ``text``."""
    return re.sub(r"[^0-9]", "", text)
