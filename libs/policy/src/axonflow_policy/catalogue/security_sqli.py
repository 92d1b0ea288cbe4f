"""SQL that attacks or destroys (contract, agent section 3.3). Patterns find the words, validators judge the grammar.

The rows for destructive statements move with the dangerous-queries lever, the others with the sqli lever.
"""

from __future__ import annotations

from axonflow_contracts.posture import Lever
from axonflow_contracts.verdicts import Action, Severity

from axonflow_policy.model import Policy

_CATEGORY = "security-sqli"
_PRIORITY = {Severity.CRITICAL: 100, Severity.HIGH: 90, Severity.MEDIUM: 70}
_RISK = {Severity.CRITICAL: 0.9, Severity.HIGH: 0.8, Severity.MEDIUM: 0.5}

# What separates two words of SQL: spaces, inline comments, a plus from a query string.
_GAP = r"(?:[\s+(]|%20|/\*[^*]*\*/|--[^\n]*\n|#[^\n]*\n)+"
_SPACE = r"(?:\s|\+|/\*[^*]*\*/)"
# A name, quoted or not, with its schema; MySQL accounts; placeholders of templates.
_NAME = r"(?:[\"'`\[]?[\w$.%{}<>-]+[\"'`\]]?(?:\s*(?:\.|@|::)\s*[\"'`\[]?[\w$%.*-]+[\"'`\]]?){0,3})"
_QUOTE = r"['\"`]"
_VERB = r"(?:select|union|insert|update|delete|drop|exec(?:ute)?|alter|create|or|and)\b"


def _row(
    policy_id: str,
    name: str,
    reason: str,
    pattern: str,
    severity: Severity,
    validator: str | None,
    description: str,
    lever: Lever = Lever.SQLI,
) -> Policy:
    return Policy(
        id=f"sys_sqli_{policy_id}",
        name=name,
        category=_CATEGORY,
        severity=severity,
        priority=_PRIORITY[severity],
        pattern=f"(?i){pattern}",
        validator=validator,
        reason=reason,
        description=description,
        action=Action.BLOCK,
        action_request=Action.BLOCK,
        action_response=Action.BLOCK,
        lever=lever,
        risk_weight=_RISK[severity],
    )


def _destructive(
    policy_id: str,
    name: str,
    reason: str,
    pattern: str,
    description: str,
    severity: Severity = Severity.CRITICAL,
    validator: str = "sql_statement",
) -> Policy:
    return _row(policy_id, name, reason, pattern, severity, validator, description, Lever.DANGEROUS_QUERIES)


_INJECTION: tuple[Policy, ...] = (
    _row(
        "union_select",
        "UNION SELECT Detection",
        "SQL injection: UNION SELECT",
        rf"union{_GAP}(?:all{_GAP}|distinct{_GAP})?select",
        Severity.CRITICAL,
        "sql_union",
        "UNION, optional ALL, followed by SELECT, grafted on a query",
    ),
    _row(
        "union_injection",
        "UNION Injection After Termination",
        "SQL injection: UNION after a closed literal",
        rf"(?:{_QUOTE}|\d\)|{_QUOTE}\))\)*{_SPACE}*union{_GAP}(?:all{_GAP}|distinct{_GAP})?select\b",
        Severity.CRITICAL,
        "sql_union",
        "A closing quote or parenthesis, then UNION SELECT",
    ),
    _row(
        "or_true",
        "OR True Condition",
        "SQL injection: condition that is always true",
        rf"(?:\b(?:or|xor)\b|\|\|){_SPACE}*(?:not{_SPACE}+)?\(*{_QUOTE}?(?:\d+{_QUOTE}?{_SPACE}*(?:=|<>|!=|<|>|\blike\b){_SPACE}*{_QUOTE}?\d+|true\b|\(true\))",
        Severity.HIGH,
        "sql_condition",
        "OR with number = number",
    ),
    _row(
        "or_string",
        "OR String Condition",
        "SQL injection: condition that is always true",
        rf"\b(?:or|xor|and|having)\b{_SPACE}*(?:not{_SPACE}+)?\(*(?:{_QUOTE}[^'\"`\n]{{0,40}}{_QUOTE}{_SPACE}*(?:=|<>|!=|<|>|\blike\b|\bin\b){_SPACE}*\(*{_QUOTE}"
        rf"|\w+(?:\(\))?{_SPACE}+(?:like{_SPACE}*{_QUOTE}%|is{_SPACE}+not{_SPACE}+null))",
        Severity.HIGH,
        "sql_condition_string",
        "OR with quoted string = quoted string",
    ),
    _row(
        "and_false",
        "AND False Condition",
        "SQL injection: condition that is always false",
        rf"(?:\b(?:and|having)\b|&&){_SPACE}*(?:not{_SPACE}+)?\(*{_QUOTE}?\d+{_QUOTE}?{_SPACE}*(?:=|<>|!=|<|>|\blike\b){_SPACE}*{_QUOTE}?\d+",
        Severity.HIGH,
        "sql_condition",
        "AND with number = number",
    ),
    _row(
        "sleep",
        "MySQL SLEEP Function",
        "SQL injection: time delay",
        r"\bsleep\s*\(\s*[\d_]+[\w.]*\s*\)",
        Severity.CRITICAL,
        "sql_delay",
        "SLEEP with a number, outside program code",
    ),
    _row(
        "waitfor",
        "SQL Server WAITFOR DELAY",
        "SQL injection: time delay",
        rf"\bwaitfor{_SPACE}+delay{_SPACE}*{_QUOTE}",
        Severity.CRITICAL,
        "sql_probe",
        "WAITFOR DELAY with a quoted time",
    ),
    _row(
        "pg_sleep",
        "PostgreSQL pg_sleep",
        "SQL injection: time delay",
        r"\bpg_sleep(?:_for)?\s*\(",
        Severity.CRITICAL,
        "sql_probe",
        "A call of pg_sleep",
    ),
    _row(
        "benchmark",
        "MySQL BENCHMARK Function",
        "SQL injection: time delay",
        r"\bbenchmark\s*\(\s*\d{3,}\s*,",
        Severity.CRITICAL,
        "sql_probe",
        "BENCHMARK with a count",
    ),
    _row(
        "extractvalue",
        "EXTRACTVALUE Function",
        "SQL injection: error-based XML function",
        r"\bextractvalue\s*\(\s*[\w'\"]+\s*,\s*(?:concat|0x|\(|char)",
        Severity.HIGH,
        "sql_probe",
        "EXTRACTVALUE that raises an error",
    ),
    _row(
        "updatexml",
        "UPDATEXML Function",
        "SQL injection: error-based XML function",
        r"\bupdatexml\s*\(\s*[\w'\"]+\s*,\s*(?:concat|0x|\(|char)",
        Severity.HIGH,
        "sql_probe",
        "UPDATEXML that raises an error",
    ),
    _row(
        "convert_int",
        "CONVERT INT Injection",
        "SQL injection: conversion that raises an error",
        r"\bconvert\s*\(\s*int\s*,\s*(?:\(|@@|user|db_name|char|cast|'|\bselect\b)",
        Severity.HIGH,
        "sql_probe",
        "CONVERT to INT used to raise errors",
    ),
    _row(
        "stacked_drop",
        "Stacked DROP Statement",
        "SQL injection: stacked DROP",
        rf";{_SPACE}*drop{_SPACE}+(?:table|database|schema|view|user|index){_SPACE}+\w",
        Severity.CRITICAL,
        "sql_stacked",
        "A semicolon, then DROP TABLE or DATABASE",
    ),
    _row(
        "stacked_delete",
        "Stacked DELETE Statement",
        "SQL injection: stacked DELETE",
        rf";{_SPACE}*delete{_SPACE}+from{_SPACE}+\w",
        Severity.CRITICAL,
        "sql_stacked",
        "A semicolon, then DELETE FROM",
    ),
    _row(
        "stacked_update",
        "Stacked UPDATE Statement",
        "SQL injection: stacked UPDATE",
        rf";{_SPACE}*update{_SPACE}+[\w.`\"\[\]]+{_SPACE}+set{_SPACE}+\w",
        Severity.CRITICAL,
        "sql_stacked",
        "A semicolon, then UPDATE SET",
    ),
    _row(
        "stacked_insert",
        "Stacked INSERT Statement",
        "SQL injection: stacked INSERT",
        rf";{_SPACE}*insert{_SPACE}+into{_SPACE}+\w",
        Severity.CRITICAL,
        "sql_stacked",
        "A semicolon, then INSERT INTO",
    ),
    _row(
        "stacked_exec",
        "Stacked EXEC Statement",
        "SQL injection: stacked EXEC",
        rf"(?:;{_GAP}|{_QUOTE}\s*;?\s*)exec(?:ute)?(?:{_GAP}(?:master|sp_|xp_)|\s*\(\s*{_QUOTE})|\bxp_cmdshell\b\s*\W|\bexec\s*\(\s*@\w+\s*\)"
        rf"|;{_SPACE}*(?:waitfor|shutdown|declare\s+@){_SPACE}*",
        Severity.CRITICAL,
        "sql_probe",
        "A semicolon, then EXEC",
    ),
    _row(
        "inline_comment",
        "Inline Comment Injection",
        "SQL injection: inline comment",
        rf"(?:/\*![\d\s]*{_VERB}|\w/\*[^*\n]{{0,20}}\*/{_VERB}|{_QUOTE}\s*/\*[^*\n]{{0,40}}\*/\s*{_VERB}|\d\s*/\*[^*\n]{{0,40}}\*/\s*{_VERB})",
        Severity.HIGH,
        "sql_probe",
        "A block comment that glues SQL verbs",
    ),
    _row(
        "line_comment_mysql",
        "MySQL Line Comment Injection",
        "SQL injection: line comment",
        rf"(?:{_QUOTE}|\d)\s*#[^\n]{{0,40}}\n\s*(?:union|select|or|and|drop)\b",
        Severity.HIGH,
        None,
        "A hash comment, then a SQL verb on the next line",
    ),
    _row(
        "line_comment_dash",
        "Double-Dash Comment Injection",
        "SQL injection: line comment",
        rf"(?:{_QUOTE}\)*|(?:^|[=\s(-])\d+\)*)\s*--[^\n]{{0,40}}(?:\n\s*\(*\s*|\s+)(?:union|select|or|and|drop|insert|update|delete)\b",
        Severity.HIGH,
        "sql_comment",
        "A dash comment, then a SQL verb",
    ),
    _row(
        "select_from",
        "SELECT FROM After Termination",
        "SQL injection: stacked SELECT",
        rf"{_QUOTE}\)*\s*;{_SPACE}*select\b[^;\n]{{1,200}}\bfrom\b",
        Severity.CRITICAL,
        "sql_stacked_select",
        "A closed literal, a semicolon, SELECT FROM",
    ),
    _row(
        "admin_bypass",
        "Authentication Bypass",
        "SQL injection: login bypass",
        rf"(?:\b(?:admin(?:istrator)?|root|user|sa|test|guest){_QUOTE}\)*\s*(?:--|#|/\*|;--)|^\s*{_QUOTE}\)*\s*(?:--|#|/\*)|\w{_QUOTE}\)+\s*(?:--|#))",
        Severity.CRITICAL,
        None,
        "A login name closed by a quote and a comment",
    ),
    _row(
        "hex_encoding",
        "Hex-Encoded Payload",
        "SQL injection: hexadecimal payload",
        r"\b0x[0-9a-f]{16,}",
        Severity.MEDIUM,
        "sql_hex",
        "A long hexadecimal literal in SQL",
    ),
    _row(
        "char_function",
        "CHAR Function Obfuscation",
        "SQL injection: characters by code",
        r"\bcha?r\s*\(\s*\d{1,3}\s*(?:,\s*\d{1,3}\s*){2,}\)|\bcha?r\s*\(\s*\d{1,3}\s*\)\s*(?:\|\||\+)\s*cha?r\s*\(",
        Severity.HIGH,
        "sql_probe",
        "CHAR with a list of codes, or CHARs strung together",
    ),
    _row(
        "concat_select",
        "CONCAT with Embedded SELECT",
        "SQL injection: SELECT inside CONCAT",
        r"\bconcat(?:_ws)?\s*\([^;\n]{0,80}\(\s*select\b|\(\s*select\s*\(?\s*(?:sleep|benchmark|count\s*\(\s*\*\s*\)\s*from\s+(?:information_schema|sys|all_))",
        Severity.HIGH,
        "sql_probe",
        "SELECT inside CONCAT",
    ),
    _row(
        "information_schema",
        "INFORMATION_SCHEMA Access",
        "SQL injection: catalogue enumeration",
        r"\binformation_schema\b[`\"]?\s*\.\s*[`\"]?\w+",
        Severity.HIGH,
        "sql_catalog_read",
        "A catalogue read from inside a query",
    ),
    _row(
        "sys_tables",
        "System Tables Access",
        "SQL injection: system tables",
        r"\b(?:sysobjects|syscolumns|sysusers|sysdatabases|pg_shadow|pg_authid|mysql\.user|sqlite_master|all_tables|all_tab_\w+|all_users|dba_users|dba_\w+_privs"
        r"|msysaccessobjects|sys\.user\$|domain\.(?:tables|columns|domains))\b",
        Severity.HIGH,
        "sql_catalog_read",
        "System tables read from inside a query",
    ),
    _row(
        "load_file",
        "LOAD_FILE Function",
        "SQL that reads files of the server",
        r"\bload_file\s*\(|\bload_extension\s*\(|\bcopy\s+\w+(?:\s*\([^)\n]{0,60}\))?\s+from\s+(?:program\s+)?'|\bpg_read_file\s*\(|\butl_http\.request\s*\(|\butl_inaddr\.\w+\s*\(",
        Severity.CRITICAL,
        "sql_probe",
        "LOAD_FILE and its like",
        Lever.DANGEROUS_QUERIES,
    ),
    _row(
        "into_outfile",
        "INTO OUTFILE/DUMPFILE",
        "SQL that writes files of the server",
        rf"\binto{_SPACE}+(?:out|dump)file{_SPACE}*{_QUOTE}|\bcopy\s+\w+(?:\s*\([^)\n]{{0,60}}\))?\s+to\s+(?:program\s+)?'",
        Severity.CRITICAL,
        "sql_probe",
        "INTO OUTFILE and its like",
        Lever.DANGEROUS_QUERIES,
    ),
)

_IF_EXISTS = r"(?:if\s+(?:not\s+)?exists\s+|only\s+)?"

_STATEMENTS: tuple[Policy, ...] = (
    _destructive(
        "drop_table",
        "DROP TABLE Statement",
        "DROP statement detected",
        rf"\bdrop{_SPACE}+(?:temporary\s+|external\s+|materialized\s+|foreign\s+|table\s+)?"
        r"(?:table|view|index|sequence|function|procedure|trigger|type|role|user|login|policy|extension)"
        rf"{_SPACE}+(?:concurrently\s+)?{_IF_EXISTS}{_NAME}",
        "DROP of a table, view, index, role or other object",
    ),
    _destructive(
        "drop_database",
        "DROP DATABASE Statement",
        "DROP DATABASE statement detected",
        rf"\bdrop{_SPACE}+(?:database|schema|tablespace|catalog){_SPACE}+{_IF_EXISTS}{_NAME}",
        "DROP of a database or schema",
    ),
    _destructive(
        "truncate",
        "TRUNCATE TABLE Statement",
        "TRUNCATE statement detected",
        rf"\btruncate{_SPACE}+(?:(?:all\s+)?tables?{_SPACE}+(?:from\s+)?)?{_IF_EXISTS}{_NAME}",
        "TRUNCATE of a table",
        validator="sql_truncate",
    ),
    _destructive(
        "alter_table",
        "ALTER TABLE Statement",
        "ALTER statement detected",
        rf"\balter{_SPACE}+(?:external\s+|foreign\s+)?(?:table|database|user|role|login|schema|system){_SPACE}+{_IF_EXISTS}{_NAME}",
        "ALTER of a table, database or account",
        Severity.HIGH,
    ),
    _destructive(
        "delete_no_where",
        "DELETE Without WHERE",
        "Statement without WHERE changes every row",
        rf"\b(?:delete{_SPACE}+from{_SPACE}+(?:only\s+)?{_NAME}|update{_SPACE}+{_NAME}(?:\s+(?:as\s+)?\w+)?{_SPACE}+set{_SPACE}+[(\[\"`]?[\w.]+[^=\n]{{0,60}}=)",
        "DELETE or UPDATE of a whole table",
        validator="sql_no_where",
    ),
    _destructive(
        "create_user",
        "CREATE USER Statement",
        "CREATE USER statement detected",
        rf"\bcreate{_SPACE}+(?:or\s+replace\s+)?(?:user|role|login){_SPACE}+{_IF_EXISTS}{_NAME}",
        "CREATE of an account or role",
    ),
    _destructive(
        "grant",
        "GRANT Privileges Statement",
        "GRANT statement detected",
        r"\bgrant\s+(?:[\w, ()*`\"']{1,160}?\s+on\s+[^;]{1,120}?\s+to\s+\S|(?:role\s+)?[\w`'\"@%,]{1,60}(?:\s*,\s*[\w`'\"@%]{1,60}){0,3}\s+to\s+(?:role\s+|user\s+)?[\w`'\"@%-])",
        "GRANT of privileges or roles",
        validator="sql_privileges",
    ),
    _destructive(
        "revoke",
        "REVOKE Privileges Statement",
        "REVOKE statement detected",
        r"\brevoke\s+(?:[\w, ()*`\"']{1,160}?\s+on\s+[^;]{1,120}?\s+(?:from|to)\s+\S|(?:role\s+)?[\w`'\"@%,]{1,60}(?:\s*,\s*[\w`'\"@%]{1,60}){0,3}\s+from\s+(?:role\s+|user\s+)?[\w`'\"@%-])",
        "REVOKE of privileges or roles",
        validator="sql_privileges",
    ),
)

POLICIES: tuple[Policy, ...] = _INJECTION + _STATEMENTS
