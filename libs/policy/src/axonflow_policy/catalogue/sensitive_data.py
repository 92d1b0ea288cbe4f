"""Secrets that are told or assigned, and the formats of vendors that no ``code-secrets`` row names (agent §3.3).

The span is the secret itself, so that a mask leaves its name readable.
"""

from __future__ import annotations

from axonflow_contracts.posture import Lever
from axonflow_contracts.verdicts import Action, Severity

from axonflow_policy.model import Policy

# Between a name and its value: JSON, YAML, XML, code, headers, shell and prose.
_IS = r"""(?:Token|Key|Value)?["'`]?\]?\s{0,3}(?::=|=>|[:=>]|\bis\b|\bwas\b)\s{0,8}["'`]?"""
_VALUE = r"([A-Za-z0-9_\-+/=.~]{16,200})"


def _row(policy_id: str, name: str, pattern: str, validator: str, *, reason: str, description: str) -> Policy:
    return Policy(
        id=f"sys_sensitive_{policy_id}",
        name=name,
        category="sensitive-data",
        severity=Severity.HIGH,
        priority=70,
        pattern=pattern,
        validator=validator,
        reason=reason,
        description=description,
        action=Action.WARN,
        action_request=Action.WARN,
        action_response=Action.WARN,
        lever=Lever.SENSITIVE_DATA,
        risk_weight=0.7,
    )


POLICIES: tuple[Policy, ...] = (
    _row(
        "password",
        "Password Detection",
        r"(?i:\b[\w.-]{0,40}(?:password|passwd|passphrase|passcode|passwort|contrase.{1,2}a|kata\ssandi|pwd))"
        r"""["'`]?\]?\s{0,3}(?::=|=>|[:=]|(?i:\bis\b|\bwas\b))\s{0,3}"""
        r"(?:[\"'`]([^\"'`\s]{6,120})[\"'`]|([^\s\"'`;,)}<>]{6,120}))",
        "told_password",
        reason="Password detected",
        description="A password told in prose or assigned to a name",
    ),
    _row(
        "api_key",
        "API Key Detection",
        r"\b(AIza[A-Za-z0-9_-]{35}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"
        r"|SK[0-9a-f]{32}|AC[0-9a-f]{32}|key-[0-9a-f]{32}|gsk_[A-Za-z0-9]{40,}|dop_v1_[0-9a-f]{64}|re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}"
        r"|[0-9a-f]{32}-us\d{1,2}|lin_api_[A-Za-z0-9]{32,}|sq0[a-z]{3}-[A-Za-z0-9_-]{22,})"
        r"|(?i:\b[\w.-]{0,30}(?:api|private|auth|access|secret|encryption|signing|account|subscription|service|license)"
        rf"[ _-]?key(?:[ _-]?(?:value|base64|prod|live|test))?{_IS}){_VALUE}",
        "secret_value",
        reason="API key detected",
        description="Keys of vendors by their prefix, and varied characters assigned to a name for keys",
    ),
    _row(
        "token",
        "Token Detection",
        r"\b(xox[abeoprs]-[A-Za-z0-9-]{20,}|xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]+|gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent)-[A-Za-z0-9_-]{20,}"
        r"|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}|hf_[A-Za-z0-9]{30,}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|ya29\.[A-Za-z0-9_-]{20,}"
        r"|EAA[A-Za-z0-9]{80,}|dckr_pat_[A-Za-z0-9_-]{20,}|hvs\.[A-Za-z0-9_-]{24,}|lin_oauth_[A-Za-z0-9]{32,})"
        r"|(https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{20,})"
        r"|(?i:\b[\w.-]{0,30}(?:access|bearer|auth|authorization|refresh|id|jwt|oauth|session|csrf|personal|api|bot|deploy)"
        rf"[ _-]?token{_IS}){_VALUE}"
        rf"|(?i:\bauthorization{_IS}(?:bearer|token)\s){_VALUE}",
        "secret_value",
        reason="Access token detected",
        description="Tokens of vendors by their prefix, bearer headers, and values assigned to a name for tokens",
    ),
    _row(
        "secret",
        "Secret Detection",
        r"\b(GOCSPX-[A-Za-z0-9_-]{20,}|whsec_[A-Za-z0-9+/=]{24,}|[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34})"
        r"|(?i:\b[\w.-]{0,30}(?:client|app|application|shared|consumer|webhook|signing|oauth|jwt|hmac|cookie|session)"
        rf"[ _-]?secret{_IS}){_VALUE}",
        "secret_value",
        reason="Secret detected",
        description="Secrets of applications by their format, and values assigned to a name for secrets",
    ),
    _row(
        "credentials",
        "Credentials Detection",
        r"(?i:\b(?:credentials?|login|user(?:name)?|account)\b[\"']?\s{0,3}[:=]\s{0,3}[\"']?[\w.@+-]{2,64}[\"']?"
        r"(?:\s{0,3}[,;/|]\s{0,3}|\s{1,8})[\"']?(?:password|passwd|pass|pwd|pw)[\"']?\s{0,3}[:=]\s{0,3}[\"']?)"
        r"([^\s\"',;}]{4,120})"
        r"|(?i:\bcredentials?\s{0,3}(?:[:=]|\bare\b)\s{0,3}[\"']?[\w.@+-]{2,64}\s?[:/]\s?)([^\s\"',;}]{6,120})"
        r"|(?i:\bauthorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?basic\s)([A-Za-z0-9+/]{12,}={0,2})"
        r"|(?i:\bcurl\s[^\n|;]{0,120}(?:-u|--user)[ =][\"']?[\w.@+-]{2,64}:)([^\s\"':]{6,120})"
        r"|(?i:\bmachine\s\S{2,80}\slogin\s\S{1,64}\spassword\s)(\S{4,120})",
        "credential_pair",
        reason="Credentials detected",
        description="A user name together with its password: lists, basic authentication, netrc lines",
    ),
    _row(
        "connection",
        "Connection String Detection",
        r"(?i:\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"'<>]{0,64}:)([^\s@/\"'<>]{3,120})@[\w.\[-]"
        r"|(?i:\b(?:server|data\ssource|host|dsn|driver)\s?=[^\n\"']{1,200};\s?(?:password|pwd)\s?=\s?)([^;\s\"']{4,120})"
        r"|(?i:\bjdbc:[a-z0-9:]{2,30}//[^\s\"']{1,200}[?&;]password=)([^&;\s\"']{4,120})"
        r"|(?i:\b(?:account|shared\s?access)key=)([A-Za-z0-9+/]{40,90}={0,2})",
        "connection_password",
        reason="Connection string with a password detected",
        description="The password in a database URL, a driver's connection string or a storage account's",
    ),
)
