"""Rows of ``security-sqli`` for statements that destroy data, change its shape, give rights or reach server files.

They move with the dangerous-queries lever. A statement counts where one is run, not where one is explained.
"""

from __future__ import annotations

from axonflow_contracts.posture import Lever
from axonflow_contracts.verdicts import Severity

from axonflow_policy.catalogue.sql_grammar import IF_EXISTS, NAME, QUOTE, SPACE, row
from axonflow_policy.model import Policy

_LEVER = Lever.DANGEROUS_QUERIES
_COPY = r"\bcopy\s+\w+(?:\s*\([^)\n]{0,60}\))?\s+"
_GRANTEE = r"(?:role\s+|user\s+)?[\w`'\"@%-]"
_PRIVILEGES = r"[\w, ()*`\"']{1,160}?\s+on\s+[^;]{1,120}?\s+"
_ROLES = r"[\w`'\"@%.]{1,60}(?:[\s,]+[\w`'\"@%.]{1,60}){0,6}?\s+"

POLICIES: tuple[Policy, ...] = (
    row(
        "load_file",
        "LOAD_FILE Function",
        Severity.CRITICAL,
        r"\bload_file\s*\(|\bload_extension\s*\(|\bpg_read_file\s*\(|\butl_http\.request\s*\(|\butl_inaddr\.\w+\s*\("
        rf"|{_COPY}from\s+(?:program\s+)?'",
        validator="sql_probe",
        reason="SQL that reads files of the server",
        description="LOAD_FILE and its like: file and network reads by the database server",
        lever=_LEVER,
    ),
    row(
        "into_outfile",
        "INTO OUTFILE/DUMPFILE",
        Severity.CRITICAL,
        rf"\binto{SPACE}+(?:out|dump)file{SPACE}*(?:{QUOTE}|\w+\s*\()|{_COPY}to\s+(?:program\s+)?'",
        validator="sql_probe",
        reason="SQL that writes files of the server",
        description="INTO OUTFILE, INTO DUMPFILE and COPY TO: file writes by the database server",
        lever=_LEVER,
    ),
    row(
        "drop_table",
        "DROP TABLE Statement",
        Severity.CRITICAL,
        rf"\bdrop{SPACE}+(?:temporary\s+|external\s+|materialized\s+|foreign\s+|table\s+)?"
        r"(?:table|view|index|sequence|function|procedure|trigger|type|role|user|login|policy|extension)"
        rf"{SPACE}+(?:concurrently\s+)?{IF_EXISTS}{NAME}",
        validator="sql_statement",
        reason="DROP statement detected",
        description="DROP of a table, view, index, role or other object",
        lever=_LEVER,
    ),
    row(
        "drop_database",
        "DROP DATABASE Statement",
        Severity.CRITICAL,
        rf"\bdrop{SPACE}+(?:database|schema|tablespace|catalog){SPACE}+{IF_EXISTS}{NAME}",
        validator="sql_statement",
        reason="DROP DATABASE statement detected",
        description="DROP of a database or schema",
        lever=_LEVER,
    ),
    row(
        "truncate",
        "TRUNCATE TABLE Statement",
        Severity.CRITICAL,
        rf"\btruncate{SPACE}+(?:(?:all\s+)?tables?{SPACE}+(?:from\s+)?)?{IF_EXISTS}{NAME}",
        validator="sql_truncate",
        reason="TRUNCATE statement detected",
        description="TRUNCATE of a table",
        lever=_LEVER,
    ),
    row(
        "alter_table",
        "ALTER TABLE Statement",
        Severity.HIGH,
        rf"\balter{SPACE}+(?:external\s+|foreign\s+)?(?:table|database|user|role|login|schema|system){SPACE}+"
        rf"{IF_EXISTS}{NAME}",
        validator="sql_statement",
        reason="ALTER statement detected",
        description="ALTER of a table, database or account",
        lever=_LEVER,
    ),
    row(
        "delete_no_where",
        "DELETE Without WHERE",
        Severity.CRITICAL,
        rf"\b(?:delete{SPACE}+from{SPACE}+(?:only\s+)?{NAME}"
        rf"|update{SPACE}+{NAME}(?:\s+(?:as\s+)?\w+)?{SPACE}+set{SPACE}+[(\[\"`]?[\w.]+[^=\n]{{0,60}}=)",
        validator="sql_no_where",
        reason="Statement without WHERE changes every row",
        description="DELETE or UPDATE of a whole table",
        lever=_LEVER,
    ),
    row(
        "create_user",
        "CREATE USER Statement",
        Severity.CRITICAL,
        rf"\bcreate{SPACE}+(?:or\s+replace\s+)?(?:user|role|login){SPACE}+{IF_EXISTS}{NAME}",
        validator="sql_account",
        reason="CREATE USER statement detected",
        description="CREATE of an account or role",
        lever=_LEVER,
    ),
    row(
        "grant",
        "GRANT Privileges Statement",
        Severity.CRITICAL,
        rf"\bgrant\s+(?:{_PRIVILEGES}to\s+\S|(?:role\s+)?{_ROLES}to\s+{_GRANTEE})",
        validator="sql_privileges",
        reason="GRANT statement detected",
        description="GRANT of privileges or roles",
        lever=_LEVER,
    ),
    row(
        "revoke",
        "REVOKE Privileges Statement",
        Severity.CRITICAL,
        rf"\brevoke\s+(?:{_PRIVILEGES}(?:from|to)\s+\S|(?:role\s+)?{_ROLES}from\s+{_GRANTEE})",
        validator="sql_privileges",
        reason="REVOKE statement detected",
        description="REVOKE of privileges or roles",
        lever=_LEVER,
    ),
)
