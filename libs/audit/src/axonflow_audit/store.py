"""Batches of entries into PostgreSQL, all tables in one statement, which is one transaction and one round trip.

The role may only insert: ``ON CONFLICT DO NOTHING`` must not name its target, since that would ask for ``SELECT``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import LiteralString

import psycopg

from axonflow_audit.encoding import EncodedEntry
from axonflow_audit.rows import (
    AUDIT_LOGS,
    DECISION_CHAIN,
    GATEWAY_CONTEXTS,
    LLM_CALL_AUDITS,
    MCP_QUERY_AUDITS,
    SEALED_INPUTS,
)

# COPY is refused under row security; this costs as much as COPY, and unnest of arrays seven times the CPU.
# Lines in files of earlier versions do not tell redacted_fields.
INSERT_AUDIT_LOGS = """
INSERT INTO audit_logs (
    org_id, created_at, id, decision_id, request_id, trace_id, tenant_id, client_id, user_id, user_email, user_role,
    plane, phase, request_type, verdict, matched_policies, policy_set_hash, reason, query, query_hash, input_flagged,
    latency_ms, redaction_count, provider, model, response_time_ms, tokens_used, cost_usd, error_message, metadata,
    folded_count, row_hash, canonical_version, response_sample, redacted_fields)
SELECT
    org_id, created_at, id, decision_id, request_id, trace_id, tenant_id, client_id, user_id, user_email, user_role,
    plane, phase, request_type, verdict, matched_policies, policy_set_hash, reason, query, query_hash, input_flagged,
    latency_ms, redaction_count, provider, model, response_time_ms, tokens_used, cost_usd, error_message, metadata,
    folded_count, row_hash, canonical_version, response_sample, coalesce(redacted_fields, '{}')
FROM json_to_recordset(%(audit_logs)s::json) AS x(
    org_id text, created_at timestamptz, id text, decision_id text, request_id text, trace_id text, tenant_id text,
    client_id text, user_id text, user_email text, user_role text, plane text, phase text, request_type text,
    verdict text, matched_policies jsonb, policy_set_hash text, reason text, query text, query_hash text,
    input_flagged boolean, latency_ms double precision, redaction_count integer, provider text, model text,
    response_time_ms double precision, tokens_used bigint, cost_usd numeric, error_message text, metadata jsonb,
    folded_count integer, row_hash text, canonical_version integer, response_sample text, redacted_fields text[])
ON CONFLICT DO NOTHING
"""

INSERT_LLM_CALL_AUDITS = """
INSERT INTO llm_call_audits (
    org_id, created_at, id, context_id, tenant_id, client_id, provider, model, prompt_tokens, completion_tokens,
    total_tokens, cached_tokens, latency_ms, estimated_cost_usd, decision, response_summary_hash, metadata)
SELECT
    org_id, created_at, id, context_id, tenant_id, client_id, provider, model, prompt_tokens, completion_tokens,
    total_tokens, cached_tokens, latency_ms, estimated_cost_usd, decision, response_summary_hash, metadata
FROM json_to_recordset(%(llm_call_audits)s::json) AS x(
    org_id text, created_at timestamptz, id text, context_id text, tenant_id text, client_id text, provider text,
    model text, prompt_tokens bigint, completion_tokens bigint, total_tokens bigint, cached_tokens bigint,
    latency_ms double precision, estimated_cost_usd numeric, decision text, response_summary_hash text,
    metadata jsonb)
ON CONFLICT DO NOTHING
"""

INSERT_GATEWAY_CONTEXTS = """
INSERT INTO gateway_contexts (
    org_id, created_at, id, tenant_id, client_id, user_token_hash, query_hash, data_sources, policies_evaluated,
    approved, block_reason, expires_at)
SELECT
    org_id, created_at, id, tenant_id, client_id, user_token_hash, query_hash, data_sources, policies_evaluated,
    approved, block_reason, expires_at
FROM json_to_recordset(%(gateway_contexts)s::json) AS x(
    org_id text, created_at timestamptz, id text, tenant_id text, client_id text, user_token_hash text,
    query_hash text, data_sources text[], policies_evaluated text[], approved boolean, block_reason text,
    expires_at timestamptz)
ON CONFLICT DO NOTHING
"""

INSERT_MCP_QUERY_AUDITS = """
INSERT INTO mcp_query_audits (
    org_id, created_at, id, tenant_id, client_id, user_id, connector_name, operation, statement_hash,
    parameters_hash, parameter_count, request_blocked, request_block_reason, request_policies_evaluated,
    request_matched_policies, response_blocked, response_policies_evaluated, response_matched_policies,
    response_redacted, response_redactions_count, response_redacted_fields, exfil_rows_returned,
    exfil_bytes_returned, exfil_exceeded, exfil_limit_type, row_count, duration_ms, success, error_message)
SELECT
    org_id, created_at, id, tenant_id, client_id, user_id, connector_name, operation, statement_hash,
    parameters_hash, parameter_count, request_blocked, request_block_reason, request_policies_evaluated,
    request_matched_policies, response_blocked, response_policies_evaluated, response_matched_policies,
    response_redacted, response_redactions_count, response_redacted_fields, exfil_rows_returned,
    exfil_bytes_returned, exfil_exceeded, exfil_limit_type, row_count, duration_ms, success, error_message
FROM json_to_recordset(%(mcp_query_audits)s::json) AS x(
    org_id text, created_at timestamptz, id text, tenant_id text, client_id text, user_id text, connector_name text,
    operation text, statement_hash text, parameters_hash text, parameter_count integer, request_blocked boolean,
    request_block_reason text, request_policies_evaluated integer, request_matched_policies text[], response_blocked
    boolean, response_policies_evaluated integer, response_matched_policies text[], response_redacted boolean,
    response_redactions_count integer, response_redacted_fields text[], exfil_rows_returned bigint,
    exfil_bytes_returned bigint, exfil_exceeded boolean, exfil_limit_type text, row_count bigint, duration_ms double
    precision, success boolean, error_message text)
ON CONFLICT DO NOTHING
"""

# JSON has no bytes: the encoder writes them in base64.
INSERT_SEALED_INPUTS = """
INSERT INTO sealed_inputs (org_id, created_at, id, tenant_id, sealed, omitted, size_bytes)
SELECT org_id, created_at, id, tenant_id, decode(sealed, 'base64'), omitted, size_bytes
FROM json_to_recordset(%(sealed_inputs)s::json) AS x(
    org_id text, created_at timestamptz, id text, tenant_id text, sealed text, omitted text, size_bytes bigint)
ON CONFLICT DO NOTHING
"""

INSERT_DECISION_CHAIN = """
INSERT INTO decision_chain (
    org_id, created_at, decision_id, step_number, chain_id, request_id, parent_request_id, trace_id, tenant_id,
    client_id, user_id, decision_type, step_name, system_id, model_provider, model_id, decision_outcome,
    policies_evaluated, policy_triggered, risk_level, requires_human_review, started_at, processing_time_ms,
    input_hash, output_hash, data_sources, metadata, audit_hash)
SELECT
    org_id, created_at, decision_id, step_number, chain_id, request_id, parent_request_id, trace_id, tenant_id,
    client_id, user_id, decision_type, step_name, system_id, model_provider, model_id, decision_outcome,
    policies_evaluated, policy_triggered, risk_level, requires_human_review, started_at, processing_time_ms,
    input_hash, output_hash, data_sources, metadata, audit_hash
FROM json_to_recordset(%(decision_chain)s::json) AS x(
    org_id text, created_at timestamptz, decision_id text, step_number integer, chain_id text, request_id text,
    parent_request_id text, trace_id text, tenant_id text, client_id text, user_id text, decision_type text,
    step_name text, system_id text, model_provider text, model_id text, decision_outcome text,
    policies_evaluated text[], policy_triggered text, risk_level text, requires_human_review boolean,
    started_at timestamptz, processing_time_ms double precision, input_hash text, output_hash text,
    data_sources text[], metadata jsonb, audit_hash text)
ON CONFLICT DO NOTHING
"""

_INSERTS: Mapping[str, LiteralString] = MappingProxyType(
    {
        AUDIT_LOGS: INSERT_AUDIT_LOGS,
        LLM_CALL_AUDITS: INSERT_LLM_CALL_AUDITS,
        GATEWAY_CONTEXTS: INSERT_GATEWAY_CONTEXTS,
        MCP_QUERY_AUDITS: INSERT_MCP_QUERY_AUDITS,
        SEALED_INPUTS: INSERT_SEALED_INPUTS,
        DECISION_CHAIN: INSERT_DECISION_CHAIN,
    }
)

# SQLSTATE classes that speak of the rows and not of the server: data exception, integrity violation, program limit.
_ROW_FAULTS = ("22", "23", "54")


class UnknownTable(Exception):
    """An entry, from the file of a newer version, has rows of a table this version does not write."""


async def insert(
    connection: psycopg.AsyncConnection, entries: Sequence[EncodedEntry]
) -> list[tuple[EncodedEntry, str]]:
    """Commit the entries, and give back those that PostgreSQL cannot hold, each with its SQLSTATE.

    ``connection`` is in autocommit mode. A batch with a bad entry in it is halved until the bad one stands alone, so
    its neighbours are committed, each entry whole.

    Raises:
        psycopg.Error: the server, not a row, is the trouble; some of the entries may have been committed.
    """
    try:
        await _execute(connection, entries)
    except UnknownTable:
        fault = "unknown table"
    except psycopg.Error as error:
        fault = error.sqlstate or ""
        if not fault.startswith(_ROW_FAULTS) or connection.broken:
            raise
    else:
        return []
    if len(entries) == 1:
        return [(entries[0], fault)]
    middle = len(entries) // 2
    return [*await insert(connection, entries[:middle]), *await insert(connection, entries[middle:])]


async def _execute(connection: psycopg.AsyncConnection, entries: Sequence[EncodedEntry]) -> None:
    rows: dict[str, list[bytes]] = {}
    for entry in entries:
        for table, row in entry.rows:
            rows.setdefault(table, []).append(row)
    if not rows.keys() <= _INSERTS.keys():
        raise UnknownTable
    statement = _statement(frozenset(rows))
    params = {table: (b"[" + b",".join(found) + b"]").decode() for table, found in rows.items()}
    await connection.execute(statement, params, prepare=True)


@cache
def _statement(tables: frozenset[str]) -> LiteralString:
    """One statement that fills all of ``tables``: every insert but the last stands in front as a part of it."""
    *parts, last = (_INSERTS[table] for table in sorted(tables, reverse=True))
    if not parts:
        return last
    return "WITH " + ", ".join([f"part{number} AS ({part})" for number, part in enumerate(parts)]) + last
