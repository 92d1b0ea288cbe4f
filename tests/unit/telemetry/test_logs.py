"""Log lines: one JSON object a record, whatever the text holds, and no secret in it."""

import io
import json
import logging
import warnings

import pytest
from axonflow_settings import Secret
from axonflow_telemetry import configure_logs, current_trace_id, trace_scope


def fail(text):
    raise ValueError(text)


@pytest.fixture
def lines():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs("agent", "info", stream=stream)

    def read():
        text = stream.getvalue()
        assert text.endswith("\n")
        return [json.loads(line) for line in text[:-1].split("\n")]

    yield read
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_record_is_one_json_line_with_time_level_service_and_message(lines):
    logging.getLogger("axonflow_x").warning("queue is %d deep", 7, extra={"client_id": "c1"})
    (line,) = lines()
    assert line["level"] == "warning"
    assert line["service"] == "agent"
    assert line["logger"] == "axonflow_x"
    assert line["message"] == "queue is 7 deep"
    assert line["client_id"] == "c1"
    assert line["timestamp"].endswith("+00:00")


def test_text_of_a_caller_cannot_forge_a_line_or_move_the_cursor(lines):
    evil = 'x\n{"level":"error"}\r\x1b[2J\x00\x7f\u2028\u202e\udc80'
    # Outside the tree of loggers: pytest would carry the lone surrogate into a report, which xdist cannot send.
    logger = logging.Logger("t")  # noqa: LOG001 - on purpose, see above
    logger.addHandler(logging.getLogger().handlers[0])
    logger.info("path %s", evil, extra={"path": evil})
    (line,) = lines()
    assert line["message"] == "path " + evil
    assert line["path"] == evil


def test_a_line_holds_printable_ascii_alone(lines):
    stream = logging.getLogger().handlers[0].stream
    logging.getLogger("t").info("x\n\x1b\x7f\x85\u2029é")
    assert all(" " <= char <= "~" for char in stream.getvalue()[:-1])


def test_a_secret_prints_masked_in_message_and_field(lines):
    secret = Secret("canary-9f1b")
    logging.getLogger("t").info("secret %s", secret, extra={"key": secret, "nested": {"key": secret}})
    assert "canary-9f1b" not in json.dumps(lines())


@pytest.mark.parametrize(
    "text",
    [
        "cannot reach postgresql://axonflow:canary-9f1b@db:5432/axonflow",
        "host=db password=canary-9f1b user=x",
        "host=db password='canary-9f1b with space' user=x",
        "http://:canary-9f1b@proxy",
    ],
)
def test_a_password_inside_an_address_is_masked(lines, text):
    logging.getLogger("t").error(text)
    try:
        fail(text)
    except ValueError:
        logging.getLogger("t").exception("failed")
    assert "canary-9f1b" not in json.dumps(lines())


def test_an_error_with_its_traceback_stays_on_one_line(lines):
    try:
        fail("first\nsecond")
    except ValueError:
        logging.getLogger("t").exception("failed")
    (line,) = lines()
    assert "Traceback" in line["error"]
    assert "second" in line["error"]


def test_records_inside_a_trace_scope_carry_its_id(lines):
    with trace_scope("ab" * 16):
        logging.getLogger("t").info("in")
        assert current_trace_id() == "ab" * 16
    logging.getLogger("t").info("out")
    logging.getLogger("t").info("given", extra={"trace_id": "cd" * 16})
    inside, outside, given = lines()
    assert inside["trace_id"] == "ab" * 16
    assert "trace_id" not in outside
    assert given["trace_id"] == "cd" * 16


def test_a_huge_message_is_cut(lines):
    logging.getLogger("t").info("x" * 1_000_000)
    (line,) = lines()
    assert len(line["message"]) < 10_000
    assert "1000000 characters" in line["message"]


def test_a_python_warning_becomes_a_line(lines):
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        logging.captureWarnings(capture=True)  # catch_warnings put the plain printer back
        warnings.warn("old thing", UserWarning, stacklevel=1)
    (line,) = lines()
    assert "old thing" in line["message"]


def test_below_the_level_nothing_is_written(lines):
    logging.getLogger("t").debug("quiet")
    logging.getLogger("t").info("loud")
    assert [line["message"] for line in lines()] == ["loud"]
