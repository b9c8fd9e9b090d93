from __future__ import annotations

import io
import json
import logging
import logging.config

import pytest
import structlog

from audit import correlation
from config.logging import configure_structlog, logging_settings


@pytest.fixture
def lines():
    """What is logged meanwhile, one parsed JSON object per line."""
    root = logging.getLogger()
    stream = io.StringIO()
    configure_structlog()
    settings = logging_settings(level="INFO", log_format="json")
    formatter = logging.config.DictConfigurator(settings).configure_formatter(
        settings["formatters"]["structured"]
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    level, handlers = root.level, root.handlers[:]
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_one_json_object_with_its_correlation_id(lines):
    with correlation.bind("order-1001-journey"):
        structlog.get_logger("sync").info("document.posted", reference="T1-1001-I")
    (line,) = lines()
    assert line["event"] == "document.posted"
    assert line["reference"] == "T1-1001-I"
    assert line["correlation_id"] == "order-1001-journey"
    assert line["level"] == "info"
    assert line["timestamp"].endswith("Z")


def test_other_libraries_write_the_same_lines(lines):
    with correlation.bind("order-1001-journey"):
        logging.getLogger("celery.worker").warning("lost %s", "the broker")
    (line,) = lines()
    assert (line["event"], line["logger"]) == ("lost the broker", "celery.worker")
    assert line["correlation_id"] == "order-1001-journey"


@pytest.mark.parametrize(
    "leak",
    [
        {"password": "hunter2"},
        {"headers": {"X-Auth-Token": "hunter2"}},
        {"email": "hunter2@shop.test"},
        {"note": "asked by hunter2@shop.test"},
        {"authorization": "Bearer hunter2hunter2"},
        {"request": "POST /webhooks/bigcommerce/hunter2/"},
        {"body": {"billing_address": {"first_name": "hunter2", "street_1": "hunter2"}}},
    ],
)
def test_secrets_and_personal_data_do_not_reach_a_line(lines, leak):
    structlog.get_logger("sync").warning("something", **leak)
    logging.getLogger("urllib3").warning("asked %s", "POST /webhooks/bigcommerce/hunter2/?a=1")
    assert "hunter2" not in json.dumps(lines())
    assert len(lines()) == 2


def test_an_exception_keeps_its_place_and_loses_its_data(lines):
    text = "no partner for jane@shop.test\nDETAIL:  Failing row contains (7, Jane Doe)."
    try:
        raise ValueError(text)
    except ValueError:
        structlog.get_logger("sync").exception("our.bug")
    (line,) = lines()
    assert "test_logging.py" in line["exception"]
    assert "ValueError: no partner for" in line["exception"]
    assert "jane" not in line["exception"].lower()


def test_a_person_can_have_lines_without_json():
    settings = logging_settings(level="INFO", log_format="console")
    formatter = logging.config.DictConfigurator(settings).configure_formatter(
        settings["formatters"]["structured"]
    )
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "started", None, None)
    assert "started" in formatter.format(record)
    assert not formatter.format(record).startswith("{")


def test_what_stands_in_an_addresss_query_is_not_logged(lines):
    """A search in the console names people; a token may be sent there by mistake."""
    structlog.get_logger("web").info(
        "request_finished", request="GET /admin/sync/posting/?q=Ada+Lovelace&status__exact=held"
    )
    (line,) = lines()
    assert line["request"] == "GET /admin/sync/posting/?q=[value]&status__exact=[value]"
