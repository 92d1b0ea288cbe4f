"""SQL that attacks (contract, agent section 3.3). Patterns find the words, validators judge the grammar around them."""

from __future__ import annotations

from axonflow_contracts.verdicts import Severity

from axonflow_policy.catalogue import sql_statements
from axonflow_policy.catalogue.sql_grammar import COMPARE, GAP, QUOTE, SPACE, STACK, row
from axonflow_policy.model import Policy

_VERB = r"(?:select|union|insert|update|delete|drop|exec(?:ute)?|alter|create|or|and)\b"
_UNION = rf"union{GAP}(?:all{GAP}|distinct{GAP})?select"
_NOT = rf"(?:not{SPACE}+)?"
# Functions whose value tells an attacker where he is.
_WHOAMI = (
    r"(?:@@\w+|(?:version|user|database|user_name|system_user|session_user|db_name|pi|sqlite_version)\s*\(\s*\)"
    r"|current_user\b|isnull\s*\(\s*1)"
)
_PROCEDURE = r"(?:xp_\w+|sp_(?:configure|addlogin|addsrvrolemember|password|oacreate|oamethod|executesql))"

_INJECTION: tuple[Policy, ...] = (
    row(
        "union_select",
        "UNION SELECT Detection",
        Severity.CRITICAL,
        _UNION,
        validator="sql_union",
        reason="SQL injection: UNION SELECT",
        description="UNION, optional ALL, followed by SELECT, grafted on a query",
    ),
    row(
        "union_injection",
        "UNION Injection After Termination",
        Severity.CRITICAL,
        rf"(?:{QUOTE}|\d\)|{QUOTE}\))\)*{SPACE}*{_UNION}\b",
        validator="sql_union",
        reason="SQL injection: UNION after a closed literal",
        description="A closing quote or parenthesis, then UNION SELECT",
    ),
    row(
        "or_true",
        "OR True Condition",
        Severity.HIGH,
        rf"(?:\b(?:or|xor)\b|\|\|){SPACE}*{_NOT}\(*{QUOTE}?"
        rf"(?:\d+{QUOTE}?{SPACE}*{COMPARE}{SPACE}*\(*{QUOTE}?(?:\d+|@@\w+|select\b)|true\b|\(true\))",
        validator="sql_condition",
        reason="SQL injection: condition that is always true",
        description="OR with number = number",
    ),
    row(
        "or_string",
        "OR String Condition",
        Severity.HIGH,
        rf"\b(?:or|xor|and|having)\b{SPACE}*{_NOT}\(*{QUOTE}[^'\"`\n]{{0,40}}{QUOTE}{SPACE}*(?:{COMPARE}|\bin\b)"
        rf"{SPACE}*\(*{QUOTE}"
        rf"|{QUOTE}\)*{SPACE}*\b(?:or|and|having)\b{SPACE}*\w+(?:\(\))?{SPACE}+(?:like{SPACE}*{QUOTE}%|is{SPACE}+not{SPACE}+null)"
        rf"|{QUOTE}\)*{SPACE}*(?:\b(?:or|xor|and)\b{SPACE}*(?:[-+!]?{QUOTE}?\d{{0,3}}{QUOTE}?{SPACE}*(?:xor\b|!=|=\s*\")"
        rf"|[-+]?\(*\d[\w\s().+-]{{0,20}}(?:{COMPARE}|sounds\s+like|xor|in\s*\(\s*select){SPACE}*[(+-]*{QUOTE}?\d?|{QUOTE}{{0,2}}\^)"
        rf"|\b(?:is{SPACE}+(?:not{SPACE}+)?(?:null|\\n|\d)|like{SPACE}*\(?[\d+-]|in{SPACE}*\+?{SPACE}*\({SPACE}*{QUOTE}))",
        validator="sql_condition_string",
        reason="SQL injection: condition that is always true",
        description="OR with quoted string = quoted string, and other conditions behind a closed literal",
    ),
    row(
        "and_false",
        "AND False Condition",
        Severity.HIGH,
        rf"&&{SPACE}*{QUOTE}?\d+{QUOTE}?{SPACE}*={SPACE}*{QUOTE}?\d"
        rf"|\b(?:and|having)\b{SPACE}*{_NOT}\(*{QUOTE}?(?:\d+(?:\+\d+)?{QUOTE}?{SPACE}*{COMPARE}{SPACE}*{QUOTE}?\d+"
        r"|\d+\s*=\s*pi\(\))"
        rf"|\b(?:and|or|having)\b[\s(+]*(?:(?:\w+\s*\(\s*|select\s+){{0,4}}{_WHOAMI})"
        rf"|\bcase\s+when\s*\(+\s*\d+\s*=\s*\d+\s*\)|\belt\s*\(\s*\d+\s*=\s*\d+",
        validator="sql_condition",
        reason="SQL injection: condition that is always false",
        description="AND with number = number, or with what the server says of itself",
    ),
    row(
        "sleep",
        "MySQL SLEEP Function",
        Severity.CRITICAL,
        r"\bsleep\s*\(\s*[\d_]+[\w.]*\s*\)",
        validator="sql_delay",
        reason="SQL injection: time delay",
        description="SLEEP with a number, outside program code",
    ),
    row(
        "waitfor",
        "SQL Server WAITFOR DELAY",
        Severity.CRITICAL,
        rf"\bwaitfor{SPACE}+delay{SPACE}*{QUOTE}",
        validator="sql_probe",
        reason="SQL injection: time delay",
        description="WAITFOR DELAY with a quoted time",
    ),
    row(
        "pg_sleep",
        "PostgreSQL pg_sleep",
        Severity.CRITICAL,
        r"\bpg_sleep(?:_for)?\s*\(",
        validator="sql_probe",
        reason="SQL injection: time delay",
        description="A call of pg_sleep",
    ),
    row(
        "benchmark",
        "MySQL BENCHMARK Function",
        Severity.CRITICAL,
        r"\bbenchmark\s*\(\s*\d{3,}\s*,|\brandomblob\s*\(\s*\d{6,}",
        validator="sql_probe",
        reason="SQL injection: time delay",
        description="BENCHMARK with a count, and other work made to take long",
    ),
    row(
        "extractvalue",
        "EXTRACTVALUE Function",
        Severity.HIGH,
        r"\bextractvalue\s*\(\s*[\w'\"]+\s*,\s*(?:concat|0x|\(|char)",
        validator="sql_probe",
        reason="SQL injection: error-based XML function",
        description="EXTRACTVALUE that raises an error",
    ),
    row(
        "updatexml",
        "UPDATEXML Function",
        Severity.HIGH,
        r"\bupdatexml\s*\(\s*[\w'\"]+\s*,\s*(?:concat|0x|\(|char)",
        validator="sql_probe",
        reason="SQL injection: error-based XML function",
        description="UPDATEXML that raises an error",
    ),
    row(
        "convert_int",
        "CONVERT INT Injection",
        Severity.HIGH,
        r"\bconvert\s*\(\s*int\s*,\s*(?:\(|@@|user|db_name|char|cast|\bselect\b)",
        validator="sql_probe",
        reason="SQL injection: conversion that raises an error",
        description="CONVERT to INT used to raise errors",
    ),
    row(
        "stacked_drop",
        "Stacked DROP Statement",
        Severity.CRITICAL,
        rf";{STACK}drop{SPACE}+(?:table|database|schema|view|user|index){SPACE}+\w",
        validator="sql_stacked",
        reason="SQL injection: stacked DROP",
        description="A semicolon, then DROP TABLE or DATABASE",
    ),
    row(
        "stacked_delete",
        "Stacked DELETE Statement",
        Severity.CRITICAL,
        rf";{STACK}delete{SPACE}+from{SPACE}+\w",
        validator="sql_stacked",
        reason="SQL injection: stacked DELETE",
        description="A semicolon, then DELETE FROM",
    ),
    row(
        "stacked_update",
        "Stacked UPDATE Statement",
        Severity.CRITICAL,
        rf";{STACK}update{SPACE}+[\w.`\"\[\]]+{SPACE}+set{SPACE}+\w",
        validator="sql_stacked",
        reason="SQL injection: stacked UPDATE",
        description="A semicolon, then UPDATE SET",
    ),
    row(
        "stacked_insert",
        "Stacked INSERT Statement",
        Severity.CRITICAL,
        rf";{STACK}insert{SPACE}+into{SPACE}+\w",
        validator="sql_stacked",
        reason="SQL injection: stacked INSERT",
        description="A semicolon, then INSERT INTO",
    ),
    row(
        "stacked_exec",
        "Stacked EXEC Statement",
        Severity.CRITICAL,
        rf"(?:;{GAP}|{QUOTE}\s*;?\s*)exec(?:ute)?(?:{GAP}(?:master|sp_|xp_)|\s*\(\s*{QUOTE})|\bxp_cmdshell\b\s*\W"
        rf"|\bexec(?:ute)?{GAP}(?:master\.+)?{_PROCEDURE}|\bexec\s*\(\s*@\w+\s*\)"
        rf"|;{STACK}(?:waitfor|if\s+1\s*=\s*1\s+shutdown|declare\s+@)\b",
        validator="sql_stacked_exec",
        reason="SQL injection: stacked EXEC",
        description="A semicolon, then EXEC, or EXEC of a procedure that reaches the system",
    ),
    row(
        "inline_comment",
        "Inline Comment Injection",
        Severity.HIGH,
        rf"(?:/\*![\d\s]*{_VERB}|\w/\*[^*\n]{{0,20}}\*/{_VERB}|(?:{QUOTE}|\d)\s*/\*[^*\n]{{0,40}}\*/\s*{_VERB})",
        validator="sql_probe",
        reason="SQL injection: inline comment",
        description="A block comment that glues SQL verbs",
    ),
    row(
        "line_comment_mysql",
        "MySQL Line Comment Injection",
        Severity.HIGH,
        rf"(?:{QUOTE}|\d)\s*#[^\n]{{0,40}}\n\s*(?:union|select|or|and|drop)\b"
        r"|\border\s+by\s+\d{1,3}(?:\s*,\s*\d{1,3})*\s*#\s*\z",
        validator="sql_comment",
        reason="SQL injection: line comment",
        description="A hash comment, then a SQL verb on the next line; or one that cuts off an ORDER BY",
    ),
    row(
        "line_comment_dash",
        "Double-Dash Comment Injection",
        Severity.HIGH,
        rf"(?:{QUOTE}\)*|(?:^|[=\s(-])\d+\)*)\s*--[^\n]{{0,40}}(?:\n\s*\(*\s*|\s+)(?:union|select|or|and|drop|insert)\b"
        r"|\border\s+by\s+\d{1,3}(?:\s*,\s*\d{1,3})*\s*--\+?\s*-?\s*\z"
        r"|^\s*\(\s*[^\n]{0,120}\b(?:select|binary|cos)\b[^\n]{0,120}\)\s*--\s*\z",
        validator="sql_comment",
        reason="SQL injection: line comment",
        description="A dash comment, then a SQL verb; or one that cuts off a fragment",
    ),
    row(
        "select_from",
        "SELECT FROM After Termination",
        Severity.CRITICAL,
        rf"{QUOTE}\)*\s*;{STACK}select\b[^;\n]{{1,200}}\bfrom\b",
        validator="sql_stacked_select",
        reason="SQL injection: stacked SELECT",
        description="A closed literal, a semicolon, SELECT FROM",
    ),
    row(
        "admin_bypass",
        "Authentication Bypass",
        Severity.CRITICAL,
        rf"(?:\b(?:admin(?:istrator)?|root|user|sa|test|guest){QUOTE}\)*\s*(?:--|#|/\*|;--)"
        rf"|^\s*{QUOTE}\)*\s*(?:--|#\s*\z|/\*)|\w{QUOTE}\)+\s*(?:--|#))",
        validator="sql_login",
        reason="SQL injection: login bypass",
        description="A login name closed by a quote and a comment",
    ),
    row(
        "hex_encoding",
        "Hex-Encoded Payload",
        Severity.MEDIUM,
        r"\b0x[0-9a-f]{16,}",
        validator="sql_hex",
        reason="SQL injection: hexadecimal payload",
        description="A long hexadecimal literal in SQL",
    ),
    row(
        "char_function",
        "CHAR Function Obfuscation",
        Severity.HIGH,
        r"\bcha?r\s*\(\s*\d{1,3}\s*(?:,\s*\d{1,3}\s*){2,}\)|\bchar\s*\(\s*\d{1,3}\s*\)\s*\+\s*char\s*\("
        r"|\bcha?r\s*\(\s*\d{1,3}\s*\)\s*\|\|\s*cha?r\s*\(",
        validator="sql_probe",
        reason="SQL injection: characters by code",
        description="CHAR with a list of codes, or CHARs strung together",
    ),
    row(
        "concat_select",
        "CONCAT with Embedded SELECT",
        Severity.HIGH,
        r"\bconcat(?:_ws)?\s*\([^;\n]{0,80}\(\s*select\b|\(\s*select\s*\(?\s*(?:sleep|benchmark)\s*\("
        r"|\(\s*select\s+count\s*\(\s*\*\s*\)\s*from\s+\S+\s+(?:as\s+)?\w+\s*,"
        r"|(?:^\W*|\|\|\s*|\d\s*[-+|]{1,2}\s*)\(\s*select\b[^;\n]{1,120}\bfrom\b[^;\n]{1,60}",
        validator="sql_nested_select",
        reason="SQL injection: SELECT inside an expression",
        description="SELECT inside CONCAT or as an operand",
    ),
    row(
        "information_schema",
        "INFORMATION_SCHEMA Access",
        Severity.HIGH,
        r"\binformation_schema\b[`\"]?\s*\.\s*[`\"]?\w+",
        validator="sql_catalog_read",
        reason="SQL injection: catalogue enumeration",
        description="A catalogue read from inside a query",
    ),
    row(
        "sys_tables",
        "System Tables Access",
        Severity.HIGH,
        r"\b(?:sysobjects|syscolumns|sysusers|sysdatabases|pg_shadow|pg_authid|mysql\.user|sqlite_master|all_tables"
        r"|all_tab_\w+|all_users|dba_users|dba_\w+_privs|msysaccessobjects|sys\.user\$|domain\.(?:tables|columns|domains)"
        r"|rdb\$\w+)\b",
        validator="sql_catalog_read",
        reason="SQL injection: system tables",
        description="System tables read from inside a query",
    ),
)

POLICIES: tuple[Policy, ...] = _INJECTION + sql_statements.POLICIES
