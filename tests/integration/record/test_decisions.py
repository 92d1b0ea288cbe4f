"""Decisions listed under an edition's caps, and explained from what their rows kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from axonflow_audit import MatchedPolicy
from support.record import EMAIL, SSN, Record

DECISIONS = "/api/v1/decisions"
CONTEXT = {f"k{number}": str(number) for number in range(12)}


async def test_a_list_speaks_three_words_and_understands_both_vocabularies(record: Record) -> None:
    verdicts = ("allowed", "blocked", "redacted", "needs_approval", "error")
    rows = {verdict: await record.write(verdict=verdict) for verdict in verdicts}
    await record.write(plane="agent", request_type="policy_change")  # no decision on a call
    listed = (await record.ask("GET", DECISIONS)).json["decisions"]
    by_id = {row["decision_id"]: row["decision"] for row in listed}
    words = ("allow", "deny", "allow", "require_approval", "deny")
    assert by_id == {rows[verdict].decision_id: word for verdict, word in zip(verdicts, words, strict=True)}
    for asked, found in {
        "allow": {"allowed", "redacted"},
        "redacted": {"redacted"},
        "deny": {"blocked", "error"},
        "block": {"blocked", "error"},
        "blocked": {"blocked"},
        "require_approval": {"needs_approval"},
        "needs_approval": {"needs_approval"},
    }.items():
        ids = {
            row["decision_id"] for row in (await record.ask("GET", f"{DECISIONS}?decision={asked}")).json["decisions"]
        }
        assert ids == {rows[verdict].decision_id for verdict in found}, asked


async def test_filters_and_context_of_the_list(record: Record) -> None:
    await record.write()
    kept = {"tool_signature": "sql.run", "context": CONTEXT}
    wanted = await record.write(verdict="blocked", matched_policies=(SSN, EMAIL), metadata=kept)
    for query in ("policy_id=sys_pii_email", "tool_signature=sql.run", "decision=deny"):
        [row] = (await record.ask("GET", f"{DECISIONS}?{query}")).json["decisions"]
        assert (row["decision_id"], row["policy_id"], row["tool_signature"]) == (wanted.id, "sys_pii_ssn", "sql.run")
        assert (len(row["context"]), row["context_truncated"]) == (5, True)


async def test_the_tool_of_a_decisions_target_is_its_signature(record: Record) -> None:
    await record.write(plane="decision", metadata={"target": {"tool": "files.read"}})
    [row] = (await record.ask("GET", f"{DECISIONS}?tool_signature=files.read")).json["decisions"]
    assert row["tool_signature"] == "files.read"


async def test_beyond_the_caps_of_an_edition_is_429_with_the_way_up(community: Record) -> None:
    for _ in range(7):
        await community.write(tenant_id="community")
    listed = (await community.ask("GET", DECISIONS, caller=None)).json
    assert (len(listed["decisions"]), listed["has_more"], "next_cursor" in listed) == (5, True, False)
    yesterday = (datetime.now(UTC) - timedelta(hours=24)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (await community.ask("GET", f"{DECISIONS}?limit=5&since={yesterday}", caller=None)).status == 200
    for query, kind, limit in (
        ("limit=6", "decisions_list_rows", 5),
        ("since=2020-01-01T00:00:00Z", "decisions_lookback_hours", 24),
    ):
        refused = await community.ask("GET", f"{DECISIONS}?{query}", caller=None)
        told = refused.json
        assert (refused.status, told["limit_type"], told["limit"], told["remaining"]) == (429, kind, limit, 0)
        assert (told["tier"], told["upgrade"]["tier"], isinstance(told["error"], str)) == (
            "community",
            "evaluation",
            True,
        )
        assert set(told["upgrade"]) == {"tier", "wording", "compare_url", "buy_url"}


async def test_enterprise_walks_on_behind_its_thousand(record: Record) -> None:
    for _ in range(3):
        await record.write()
    page = (await record.ask("GET", f"{DECISIONS}?limit=2")).json
    assert (page["count"], page["has_more"]) == (2, True)
    assert (await record.ask("GET", f"{DECISIONS}?limit=1001")).status == 429


async def test_an_explanation_says_where_whose_why_and_what_would_turn_it(record: Record) -> None:
    earlier = await record.write(verdict="blocked", matched_policies=(SSN,))
    kept = {"context": CONTEXT}
    row = await record.write(
        verdict="blocked", matched_policies=(SSN, EMAIL), reason="Social Security Number detected", metadata=kept
    )
    told = (await record.ask("GET", f"{DECISIONS}/{row.id}/explain")).json
    assert (told["decision"], told["verdict"], told["reason"]) == ("deny", "blocked", row.reason)
    assert (told["effective_action"], told["action_origin"], told["risk_level"]) == ("block", "stored", "critical")
    assert told["spans_by_role"] == {"user": 1, "system": 2}
    ssn, email = told["policy_matches"]
    assert (ssn["rule_path"], ssn["allow_override"], ssn["policy_version"]) == ("system/pii-us/sys_pii_ssn", False, 1)
    assert (email["allow_override"], bool(email["policy_description"])) == (True, True)
    rule = told["matched_rules"][0]
    assert (rule["matched_on"], rule["role"], rule["spans"]) == ("messages[1].content", "user", [[10, 21]])
    assert (told["historical_hit_count_session"], told["override_available"]) == (2, False)
    assert (len(told["context"]), told["context_truncated"]) == (10, True)
    turned = told["counterfactual"]
    assert (turned["would_be"], turned["without"][0]["path"]) == ("allowed", "messages[1].content")
    assert (turned["changes"][0]["possible"], turned["changes"][0]["policy_ids"]) == (False, ["sys_pii_ssn"])
    assert earlier.id != row.id


async def test_an_old_row_and_a_refusal_are_explained_as_far_as_they_tell(record: Record) -> None:
    bare = MatchedPolicy(policy_id="sys_pii_email", action="redact")
    old = await record.write(verdict="redacted", matched_policies=(bare,))
    told = (await record.ask("GET", f"{DECISIONS}/{old.id}/explain")).json
    assert (told["decision"], told["reason"], told["spans_by_role"]) == ("allow", "Allowed", {"unknown": 0})
    refused = await record.write(verdict="blocked", reason="unauthenticated", error_message="Authentication required")
    told = (await record.ask("GET", f"{DECISIONS}/{refused.id}/explain")).json
    assert (told["policy_matches"], told["reason"]) == ([], "unauthenticated: Authentication required")
    assert "unauthenticated" in told["counterfactual"]["note"]


async def test_of_two_phases_the_one_that_stopped_the_call_is_explained(record: Record) -> None:
    now = datetime.now(UTC)
    await record.write(id="one", decision_id="d", phase="request", created_at=now - timedelta(seconds=2))
    answer = msgspec.structs.replace(SSN, role="assistant")
    await record.write(id="two", decision_id="d", phase="response", verdict="blocked", matched_policies=(answer,))
    told = (await record.ask("GET", f"{DECISIONS}/d/explain")).json
    assert (told["verdict"], told["spans_by_role"]) == ("blocked", {"assistant": 1})
    assert [phase["phase"] for phase in told["phases"]] == ["request", "response"]
    assert (await record.ask("GET", "/api/v1/audit/two")).json["id"] == "two"
