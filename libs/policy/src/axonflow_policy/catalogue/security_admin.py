"""Reads and changes that only administrators may order: accounts, audit trail, settings, the database's catalogue.

Judged on requests of callers without admin permission (contract, agent section 3.3; rulings section 4). No lever moves
them.
"""

from __future__ import annotations

from axonflow_contracts.verdicts import Action, Severity

from axonflow_policy.model import Phases, Policy

# A name, with its schema, its quotes and a space between words.
_NAME = r"[\"'`\[]?(?:\w+[\"'`\]]?\.[\"'`\[]?)?"
_READ = r"\bselect\b[^;\n]*?\b(?:from|join)\s+"
_CHANGE = (
    r"\b(?:update|delete\s+from|insert\s+(?:ignore\s+)?into|truncate(?:\s+table)?|drop\s+table(?:\s+if\s+exists)?)\s+"
)
_CREDENTIAL_COLUMN = r"(?:\w*(?:password|passwd|pwd|pass_?hash|password_?hash|api_?key|secret|mfa|totp|salt)\w*)"
_ACCOUNTS = r"(?:app_|auth_|admin_|sys_|system_)?(?:users?|accounts?|admins?|administrators?|logins?|members)"
_SYSTEM_ACCOUNTS = (
    r"(?:pg_shadow|pg_authid|pg_user_mappings?|mysql[\"'`]?\.[\"'`]?user|sys\.(?:sql_logins|server_principals|user\$)"
    r"|dba_users|admin_users|superusers)"
)
_AUDIT = r"(?:\w*audit(?:_?(?:logs?|trails?|events?|records?|entries|history))|security_(?:logs?|events?)|access_logs?)"
_CONFIG = (
    r"(?:(?:app|system|sys|server|global|site|admin|security|tenant|policy)_?(?:config|configs|configuration|configurations"
    r"|settings?|parameters?|options?|secrets?)|configurations?|configs?|feature_flags|pg_settings|pg_hba_file_rules"
    r"|static_policies|dynamic_policies)"
)
_SCHEMA = (
    r"(?:information_schema[\"'`]?\.[\"'`]?(?:tables|columns|schemata|views|routines|triggers|user_privileges"
    r"|table_privileges|column_privileges|role_table_grants|key_column_usage|table_constraints|processlist)"
    r"|pg_catalog\.pg_\w+|pg_(?:roles|tables|stat_activity)|sys\.(?:tables|columns|objects|databases)"
    r"|all_tables|all_tab_columns|dba_tables|sqlite_master)"
)
_END = r"\b"


def _row(
    policy_id: str,
    name: str,
    pattern: str,
    *,
    reason: str,
    what: str,
    validator: str = "admin_statement",
    severity: Severity = Severity.HIGH,
    priority: int = 80,
) -> Policy:
    return Policy(
        id=f"sys_admin_{policy_id}",
        name=name,
        category="security-admin",
        severity=severity,
        priority=priority,
        pattern=pattern,
        validator=validator,
        reason=reason,
        description=what,
        phases=Phases.REQUEST,
        action=Action.BLOCK,
        action_request=Action.BLOCK,
        risk_weight=0.7,
    )


POLICIES: tuple[Policy, ...] = (
    _row(
        "users_table",
        "Users Table Access",
        rf"(?i){_READ}{_NAME}(?:{_ACCOUNTS}|{_SYSTEM_ACCOUNTS}){_END}|{_CHANGE}{_NAME}{_SYSTEM_ACCOUNTS}{_END}"
        rf"|\bupdate\s+{_NAME}{_ACCOUNTS}\s+set\s+[^;\n]*?\b(?:{_CREDENTIAL_COLUMN}|roles?"
        r"|is_admin|is_superuser|privileges?|permissions?)\s*=",
        reason="Access to the users table needs admin permission",
        what="Reads of credentials of accounts, of the system's account tables, and changes of roles and passwords",
        validator="admin_accounts",
    ),
    _row(
        "audit_log",
        "Audit Log Access",
        rf"(?i){_READ}{_NAME}{_AUDIT}{_END}|{_CHANGE}{_NAME}{_AUDIT}{_END}",
        reason="Access to the audit log needs admin permission",
        what="Reads and changes of audit tables",
    ),
    _row(
        "config_table",
        "Configuration Table Access",
        rf"(?i){_READ}{_NAME}{_CONFIG}{_END}|{_CHANGE}{_NAME}{_CONFIG}{_END}",
        reason="Access to the configuration table needs admin permission",
        what="Reads and changes of tables that configure the system",
    ),
    _row(
        "info_schema",
        "Information Schema Access",
        rf"(?i){_READ}{_NAME}{_SCHEMA}{_END}",
        reason="Access to the information schema needs admin permission",
        what="Reads that list tables, columns and privileges; counting them is none",
        severity=Severity.MEDIUM,
        priority=70,
    ),
)
