"""Credentials in code and text (contract, agent section 3.3; actions of rulings section 4). No lever moves them."""

from __future__ import annotations

from axonflow_contracts.verdicts import Action, Severity

from axonflow_policy.model import Policy

_CATEGORY = "code-secrets"


def _row(
    policy_id: str,
    name: str,
    reason: str,
    pattern: str,
    validator: str,
    *,
    severity: Severity = Severity.CRITICAL,
    request: Action = Action.BLOCK,
    description: str,
) -> Policy:
    return Policy(
        id=policy_id,
        name=name,
        category=_CATEGORY,
        severity=severity,
        priority=90,
        pattern=pattern,
        validator=validator,
        reason=reason,
        description=description,
        action=Action.BLOCK,
        action_request=request,
        action_response=Action.REDACT,
        risk_weight=0.9,
    )


POLICIES: tuple[Policy, ...] = (
    _row(
        "sys_code_aws_key",
        "AWS Access Key Detection",
        "AWS access key detected",
        r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
        "aws_access_key",
        description="Access key ids of AWS IAM and STS",
    ),
    _row(
        "sys_code_aws_secret",
        "AWS Secret Key Detection",
        "AWS secret key detected",
        r"(?i:aws|amazon|secret)(?i:[\w .-]{0,30}?(?:key|secret|token|sk))[\"']?\s{0,3}"
        r"(?:=|:|=>|:=|,|\bis\b)\s{0,3}[\"']?"
        r"([A-Za-z0-9/+]{40})",
        "aws_secret_key",
        description="Forty characters assigned to a name that speaks of an AWS secret",
    ),
    _row(
        "sys_code_github_token",
        "GitHub Token Detection",
        "GitHub token detected",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{36,255})\b",
        "token",
        description="Personal, OAuth, server and refresh tokens of GitHub",
    ),
    _row(
        "sys_code_openai_key",
        "OpenAI API Key Detection",
        "OpenAI API key detected",
        r"\bsk-(?:[A-Za-z0-9]{20,}|(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,})",
        "token",
        description="User, project, service-account and admin keys of OpenAI",
    ),
    _row(
        "sys_code_anthropic_key",
        "Anthropic API Key Detection",
        "Anthropic API key detected",
        r"\bsk-ant-(?:[a-z]{2,8}\d{2}-)?[A-Za-z0-9_-]{20,}",
        "token",
        description="API and admin keys of Anthropic",
    ),
    _row(
        "sys_code_jwt",
        "JWT Detection",
        "JSON Web Token detected",
        r"\beyJ[A-Za-z0-9_-]{8,}\.(?:eyJ[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)?|[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*)",
        "jwt",
        severity=Severity.HIGH,
        description="Signed tokens whose header is a JSON object with an algorithm",
    ),
    _row(
        "sys_code_private_key",
        "Private Key Detection",
        "Private key detected",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[^-]*(?:-[^-]+)*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|(?:(?:\s|\\[nr])*[A-Za-z0-9+/=]{12,})*)",
        "private_key",
        description="PEM blocks of private keys, whole or cut off",
    ),
    _row(
        "sys_code_password_assign",
        "Hardcoded Password Detection",
        "Password in plain text detected",
        r"(?i:\b[\w.-]*(?:password|passwd|passphrase|pwd))[\"']?\]?\s{0,3}(?:=>|:=|[:=])\s{0,3}"
        r"(?:[\"'`]([^\"'`\s]{6,120})[\"'`]|([^\s\"'`;,)}]{6,120}))",
        "password_value",
        severity=Severity.HIGH,
        request=Action.WARN,
        description="A literal assigned to a name that ends in password",
    ),
)
