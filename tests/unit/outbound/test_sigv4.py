"""Signatures against the worked examples of Amazon's S3 API reference, and against botocore's own signer."""

from __future__ import annotations

import datetime as dt
from unittest import mock
from urllib.parse import quote

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from axonflow_outbound.sigv4 import AwsKey, encoded_path, encoded_query, signed_headers
from hypothesis import given
from hypothesis import strategies as st

KEY = AwsKey("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "", "us-east-1")
HOST = "examplebucket.s3.amazonaws.com"
NOW = dt.datetime(2013, 5, 24, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "body", "signature"),
    [
        (
            "GET",
            "/test.txt",
            [],
            {"Range": "bytes=0-9"},
            b"",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT",
            "/" + encoded_path("test$file.text"),
            [],
            {"Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
            b"Welcome to Amazon S3.",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        ("GET", "/", [("lifecycle", "")], {}, b"", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        (
            "GET",
            "/",
            [("prefix", "J"), ("max-keys", "2")],
            {},
            b"",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_a_signature_is_the_one_that_the_reference_works_out(  # noqa: PLR0917 - the columns of a table
    method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str], body: bytes, signature: str
) -> None:
    sent = signed_headers(KEY, method, HOST, path, encoded_query(query), body=body, now=NOW, headers=headers)
    assert sent["Authorization"].endswith(f"Signature={signature}")


def test_a_key_shows_itself_to_nobody() -> None:
    assert "wJalr" not in repr(KEY)


SEGMENT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(lambda text: text.strip("."))
WORD = st.text("abcXYZ012 -/:,;=+", min_size=1, max_size=12).filter(str.strip)


@pytest.mark.parametrize("service", ["bedrock", "s3"])
@given(
    segments=st.lists(SEGMENT, min_size=1, max_size=3),
    pairs=st.dictionaries(WORD, WORD, max_size=3),
    headers=st.dictionaries(st.sampled_from(["x-amz-meta", "content-type", "x-amz-other"]), WORD),
    body=st.binary(max_size=30),
    token=st.sampled_from(["", "session/token=="]),
)
def test_a_signature_is_the_one_that_botocore_makes(  # noqa: PLR0917 - what is drawn
    service: str, segments: list[str], pairs: dict[str, str], headers: dict[str, str], body: bytes, token: str
) -> None:
    key = AwsKey("AKIDEXAMPLE", "very/secret", token, "eu-west-1")
    host = "service.eu-west-1.amazonaws.com"
    path, query = "/" + "/".join(quote(each, safe="") for each in segments), encoded_query(pairs.items())
    sent = signed_headers(key, "POST", host, path, query, body=body, now=NOW, headers=headers, service=service)
    url = f"https://{host}{path}{'?' if query else ''}{query}"
    digest = {"x-amz-content-sha256": sent["x-amz-content-sha256"]}
    theirs = botocore.awsrequest.AWSRequest("POST", url, {**headers, **digest}, body)
    credentials = botocore.credentials.Credentials(key.access_key_id, key.secret_access_key, token or None)
    signer = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    with mock.patch.object(botocore.auth, "get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        signer(credentials, service, key.region).add_auth(theirs)
    assert sent["Authorization"].replace(" ", "") == theirs.headers["Authorization"].replace(" ", "")
