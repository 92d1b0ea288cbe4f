"""Personal data of the United States (contract, agent section 3.3; actions of rulings section 4)."""

from __future__ import annotations

from axonflow_contracts.verdicts import Action, Severity

from axonflow_policy.catalogue.pii_global import SEPARATOR
from axonflow_policy.catalogue.pii_row import row
from axonflow_policy.model import Policy

_CATEGORY = "pii-us"

POLICIES: tuple[Policy, ...] = (
    row(
        policy_id="ssn",
        name="SSN Detection",
        category=_CATEGORY,
        severity=Severity.CRITICAL,
        priority=100,
        pattern=(
            r"(?:\b|_)(\d{3}-\d{2}-\d{4}|\d{3} \d{2} \d{4}|\d{3}\.\d{2}\.\d{4})(?:\b|_)"
            rf"|(?i:\b(?:ssn|social\s(?:security|sec)(?:\s(?:number|no\.?|num|#))?|soc\.?\ssec\.?){SEPARATOR})(\d{{9}})\b"
        ),
        validator="us_ssn",
        reason="Social Security Number detected",
        description="Nine digits in 3-2-4 form, or plain after a label, of a possible area, group and serial",
        action=Action.BLOCK,
        request=Action.BLOCK,
    ),
    row(
        policy_id="bank_account",
        name="Bank Account Detection",
        category=_CATEGORY,
        severity=Severity.CRITICAL,
        priority=100,
        pattern=(
            r"(?i)\b(?:bank|account|acct|routing|aba|checking|savings|direct\sdeposit|wire)\b[^\d\n]{0,40}"
            r"(\d{9}(?:[ -]|[^\d\n]{1,30})?\d{8,17})\b"
        ),
        validator="us_bank_account",
        reason="Bank account number detected",
        description="A nine-digit routing number with a valid ABA checksum and an account number of 8 to 17 digits",
        action=Action.BLOCK,
        request=Action.BLOCK,
    ),
)
