"""What the desk says of images, and what it refuses, with and without an analyser."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from axonflow_contracts.errors import Fault
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Phase, Verdict
from axonflow_orchestrator.media import SYSTEM_RULES
from axonflow_orchestrator.media.analyzers import ASKED_HEADER, ImageAnalyzer
from axonflow_orchestrator.media.desk import MediaDesk
from axonflow_orchestrator.media.judging import PiiJudge
from axonflow_orchestrator.media.records import Choice, MediaItem, MediaVerdict
from axonflow_orchestrator.media.sources import LARGEST_FILE_BYTES, MediaSources
from axonflow_outbound import Egress, Outbound
from axonflow_policy import PolicySet, RuleSet, catalogue
from axonflow_policy.dynamic import RuleEvaluation
from axonflow_policy.facts import Facts
from axonflow_providers import FaultKind, HttpAnswer, ProviderFault
from axonflow_settings import Secret
from hypothesis import given, settings
from hypothesis import strategies as st
from support.pictures import FORMATS, item, placed, plain, saying

SSN = b"Patient Ann, SSN 123-45-6789"
POLICIES = PolicySet.by_re2((row for row in catalogue() if row.category.startswith("pii-")), Posture())
ALL_SEEN = {
    "nsfw_score": 0.1,
    "violence_score": 0.2,
    "face_count": 2,
    "has_biometric_data": False,
    "document_type": "receipt",
    "is_sensitive_document": False,
    "pii_types": [],
    "text": "Total 12.00",
    "estimated_cost_usd": 0.0015,
}


class Analyser:
    """Answers as a test says, and keeps what it was sent."""

    def __init__(self, *answers: HttpAnswer | ProviderFault) -> None:
        self._answers = list(answers)
        self.sent: list[tuple[Mapping[str, str], bytes]] = []

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", timeout_s: float
    ) -> HttpAnswer:
        assert (method, url, timeout_s) == ("POST", "http://analyser/look", 3.0)
        self.sent.append((headers, body))
        answer = self._answers[min(len(self.sent), len(self._answers)) - 1]
        if isinstance(answer, ProviderFault):
            raise answer
        return answer


class Everyone:
    """The same choice for every tenant."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice

    def choice_for(self, _org_id: str, _tenant_id: str) -> Choice:
        return self._choice


def seen(**members: Any) -> HttpAnswer:
    return HttpAnswer(200, {}, msgspec.json.encode(members))


def desk(analyser: Analyser | None = None, choice: Choice = Choice(enabled=True, allowed_analyzers=())) -> MediaDesk:  # noqa: B008 # frozen
    analyzer = analyser and ImageAnalyzer(analyser, "http://analyser/look", Secret("key-1"), 3.0)
    return MediaDesk(Everyone(choice), MediaSources(Outbound(Egress())), PiiJudge(lambda: POLICIES), analyzer)


async def analysed(*files: tuple[bytes, str], analyser: Analyser | None = None) -> MediaVerdict:
    media = msgspec.convert([item(*each) for each in files], list[MediaItem])
    return await desk(analyser).analyse("acme", "tellers", media)


async def refusal(*media: MediaItem, analyser: Analyser | None = None) -> Fault:
    with pytest.raises(Fault) as refused:
        await desk(analyser).analyse("acme", "tellers", media)
    return refused.value


def ruled(verdict: MediaVerdict) -> RuleEvaluation:
    return RuleSet.compile(SYSTEM_RULES).evaluate(Facts(media=verdict.facts), Phase.REQUEST)


def matched(verdict: MediaVerdict) -> list[str]:
    return [match.policy_id for match in ruled(verdict).matches]


async def test_without_an_analyser_it_says_that_nobody_looked_and_claims_nothing() -> None:
    verdict = await analysed((plain("image/png"), "image/png"))
    [result] = verdict.analysis.results
    assert result.content_safe is False
    assert any("No analyser" in warning for warning in result.warnings)
    assert not {"nsfw_score", "violence_score", "has_faces", "content_safe"} & set(verdict.facts)
    assert result.sha256_hash == hashlib.sha256(plain("image/png")).hexdigest()
    assert (verdict.texts, matched(verdict)) == ((), [])


@pytest.mark.parametrize("mime_type", FORMATS)
async def test_personal_data_beside_a_picture_is_found_blocked_and_not_passed_on(mime_type: str) -> None:
    verdict = await analysed((plain(mime_type), mime_type), (saying(mime_type, SSN), mime_type))
    result = verdict.analysis.results[1]
    assert (result.media_index, result.has_pii, result.pii_types) == (1, True, ("ssn",))
    assert result.has_extracted_text
    assert result.extracted_text_length == len(verdict.texts[0])
    assert verdict.facts["has_pii"] == [False, True]
    assert ruled(verdict).verdict is Verdict.BLOCKED
    assert matched(verdict) == ["sys_media_pii"]
    assert not [image for image in verdict.images if SSN in image.data]
    assert SSN not in msgspec.json.encode(verdict.recorded)


async def test_a_position_is_personal_data_that_is_told_and_cut_out_and_blocks_nothing() -> None:
    verdict = await analysed((placed("image/jpeg"), "image/jpeg"))
    [result] = verdict.analysis.results
    assert (result.has_pii, result.pii_types) == (True, ("location",))
    assert any("where the picture was taken" in warning for warning in result.warnings)
    assert matched(verdict) == []


async def test_what_an_analyser_sees_is_told_and_what_was_cut_out_it_never_gets() -> None:
    analyser = Analyser(seen(**ALL_SEEN))
    verdict = await analysed((saying("image/jpeg", b"a quiet place"), "image/jpg"), analyser=analyser)
    [result] = verdict.analysis.results
    assert (result.has_faces, result.face_count, result.document_type) == (True, 2, "receipt")
    assert (result.nsfw_score, result.violence_score, result.content_safe) == (0.1, 0.2, True)
    assert (verdict.analysis.total_cost_usd, verdict.texts) == (0.0015, ("a quiet place\nTotal 12.00",))
    assert not [warning for warning in result.warnings if "nalys" in warning]
    [(headers, body)] = analyser.sent
    assert (headers["authorization"], headers["content-type"]) == ("Bearer key-1", "image/jpeg")
    assert body == verdict.images[0].data
    assert b"quiet" not in body


@pytest.mark.parametrize(
    ("answer", "rules", "verdict"),
    [
        ({"nsfw_score": 0.81}, ["sys_media_nsfw"], Verdict.BLOCKED),
        ({"nsfw_score": 0.8}, [], Verdict.ALLOWED),
        ({"violence_score": 0.71}, ["sys_media_violence"], Verdict.ALLOWED),
        ({"pii_types": ["passport"]}, ["sys_media_pii"], Verdict.BLOCKED),
        ({"text": "my SSN is 123-45-6789"}, ["sys_media_pii"], Verdict.BLOCKED),
        ({"has_biometric_data": True}, ["sys_media_biometric"], Verdict.ALLOWED),
        ({"is_sensitive_document": True}, ["sys_media_document"], Verdict.ALLOWED),
    ],
)
async def test_a_rule_holds_if_it_holds_for_any_image(answer: Any, rules: list[str], verdict: Verdict) -> None:
    analyser = Analyser(seen(nsfw_score=0.0), seen(**answer))
    found = await analysed((plain("image/png"), "image/png"), (plain("image/gif"), "image/gif"), analyser=analyser)
    assert (matched(found), ruled(found).verdict) == (rules, verdict)


async def test_what_an_analyser_leaves_out_is_named_and_is_no_fact() -> None:
    verdict = await analysed((plain("image/png"), "image/png"), analyser=Analyser(seen(nsfw_score=0.3)))
    [result] = verdict.analysis.results
    assert any(w.startswith("Not analysed: violence, faces, biometric, document") for w in result.warnings)
    assert result.content_safe is False
    assert not {"violence_score", "has_faces", "content_safe"} & set(verdict.facts)


async def test_only_what_the_tenant_allows_is_asked_for_and_taken() -> None:
    analyser = Analyser(seen(**{**ALL_SEEN, "nsfw_score": 0.9}))
    media = msgspec.convert([item(plain("image/png"), "image/png")], list[MediaItem])
    verdict = await desk(analyser, Choice(enabled=True, allowed_analyzers=("violence", "ocr"))).analyse("a", "b", media)
    assert analyser.sent[0][0][ASKED_HEADER] == "violence,ocr"
    assert "nsfw_score" not in verdict.facts
    assert verdict.facts["violence_score"] == [0.2]


@pytest.mark.parametrize(
    "answer",
    [
        ProviderFault(FaultKind.UNREACHABLE, "gone"),
        ProviderFault(FaultKind.TIMEOUT, "slow"),
        HttpAnswer(500, {}, b"{}"),
        HttpAnswer(204, {}, b""),
        HttpAnswer(200, {}, b"not json"),
        HttpAnswer(200, {}, b"[]"),
        HttpAnswer(200, {}, b"[" * 200_000),
        seen(nsfw_score=1.5),
        seen(violence_score=-0.1),
        seen(nsfw_score="0.2"),
        seen(face_count=-1),
        seen(face_count=1.5),
        seen(document_type="a\nb"),
        seen(pii_types=["x" * 65]),
        seen(estimated_cost_usd=-1),
        seen(text="x" * 300_000),
    ],
)
async def test_an_analyser_that_does_not_answer_properly_refuses_the_call(answer: HttpAnswer | ProviderFault) -> None:
    [media] = msgspec.convert([item(plain("image/png"), "image/png")], list[MediaItem])
    fault = await refusal(media, analyser=Analyser(answer))
    assert (fault.status, fault.code) == (403, "MEDIA_NOT_JUDGED")


async def test_a_text_that_cannot_be_judged_refuses_the_call() -> None:
    with pytest.raises(Fault) as refused:
        await PiiJudge(lambda: None)("text")
    assert refused.value.status == 403


async def test_long_texts_are_judged_like_short_ones() -> None:
    judge = PiiJudge(lambda: POLICIES)
    assert await judge("word " * 10_000 + SSN.decode()) == {"ssn"}
    assert await judge("mail ann@example.org now") == {"email"}


@pytest.mark.parametrize("declared", ["image/png", "image/webp", "text/html", "", "image/jpeg; charset=utf-8"])
async def test_a_file_that_is_not_what_it_is_declared_to_be_is_refused(declared: str) -> None:
    [media] = msgspec.convert([item(plain("image/jpeg"), declared)], list[MediaItem])
    fault = await refusal(media)
    assert (fault.status, fault.message) == (400, "media[0] is image/jpeg, which is not its mime_type")


@pytest.mark.parametrize(
    "data", ["data:image/png;base64,AAAA", "AA AA", "A", "AAAA=AAA", "ÄÄÄÄ", "", "\n"], ids=range(7)
)
async def test_what_is_no_base64_is_refused(data: str) -> None:
    fault = await refusal(MediaItem(source="base64", base64_data=data, mime_type="image/png"))
    assert (fault.status, fault.message[:8]) == (400, "media[0]")


async def test_sources_hold_what_they_are_named_after_and_nothing_else() -> None:
    both = {"base64_data": "AAAA", "url": "https://pictures.example/a.png", "mime_type": "image/png"}
    for source in ("url", "base64"):
        assert (await refusal(MediaItem(source=source, **both))).status == 400
        assert (await refusal(MediaItem(source=source, mime_type="image/png"))).status == 400


async def test_too_many_or_too_large_files_are_refused() -> None:
    [media] = msgspec.convert([item(plain("image/png"), "image/png")], list[MediaItem])
    assert len((await desk().analyse("a", "b", [media] * 10)).images) == 10
    assert "at most 10" in (await refusal(*[media] * 11)).message
    huge = MediaItem(source="base64", base64_data="A" * (LARGEST_FILE_BYTES * 4 // 3 + 8), mime_type="image/png")
    assert "larger than 20 MiB" in (await refusal(huge)).message


async def test_where_it_is_not_enabled_media_is_refused_and_its_absence_is_not() -> None:
    off = desk(choice=Choice(enabled=False, allowed_analyzers=()))
    assert await off.analyse("a", "b", []) == MediaVerdict()
    with pytest.raises(Fault) as refused:
        await off.analyse("a", "b", msgspec.convert([item(b"no picture", "image/png")], list[MediaItem]))
    assert (refused.value.status, refused.value.code) == (403, "MEDIA_NOT_ENABLED")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.png",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/a.png",
        "file:///etc/passwd",
        "ftp://pictures.example/a",
        "//x",
        "nonsense",
        "http://user:pass@127.0.0.1/",
        "https://" + "a" * 3000,
    ],
)
async def test_addresses_that_egress_rules_refuse_are_not_fetched(url: str) -> None:
    assert (await refusal(MediaItem(source="url", url=url, mime_type="image/png"))).status == 400


@given(
    data=st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda rest: plain("image/png")[:40] + rest)),
    mime_type=st.sampled_from([*FORMATS, "x"]),
)
@settings(max_examples=100, deadline=None)
async def test_any_file_gives_a_verdict_or_a_fault_of_the_request(data: bytes, mime_type: str) -> None:
    try:
        verdict = await analysed((data, mime_type))
    except Fault as fault:
        status, images = fault.status, 1
    else:
        status, images = 400, len(verdict.images)
    assert (status, images) == (400, 1)
