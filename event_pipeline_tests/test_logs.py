"""Logs: one renderer for structlog and the standard library, and no secret in any of it."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from event_pipeline.logs import configure_logging
from event_pipeline.settings import Settings

KEY = "a-very-private-key"


def _configured(**settings) -> io.StringIO:
    stream = io.StringIO()
    configure_logging(Settings(**settings), stream)
    return stream


def _lines(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_production_logs_one_json_object_a_line() -> None:
    stream = _configured(environment="production")
    structlog.get_logger("event_pipeline.sources").info("changes read", collection="events", changes=12)
    (line,) = _lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "changes read",
        "collection": "events",
        "changes": 12,
        "level": "info",
        "logger": "event_pipeline.sources",
    }


def test_development_logs_for_reading() -> None:
    stream = _configured(environment="development")
    structlog.get_logger().info("changes read", changes=12)
    assert "[info     ] changes read" in stream.getvalue()
    assert "changes=12" in stream.getvalue()


def test_format_can_be_chosen_against_the_environment() -> None:
    stream = _configured(environment="development", log_format="json")
    structlog.get_logger().info("x")
    assert _lines(stream)[0]["event"] == "x"


def test_standard_library_loggers_come_out_the_same_way() -> None:
    stream = _configured(log_format="json")
    logging.getLogger("some.library").warning("retry %s of %s", 1, 6, extra={"collection": "events"})
    (line,) = _lines(stream)
    assert (line["event"], line["level"], line["logger"]) == ("retry 1 of 6", "warning", "some.library")
    assert line["collection"] == "events"


@pytest.mark.parametrize(("level", "expected"), [("DEBUG", 4), ("INFO", 3), ("WARNING", 2), ("ERROR", 1)])
def test_level_comes_from_the_settings(level: str, expected: int) -> None:
    stream = _configured(log_format="json", log_level=level)
    for logger in (structlog.get_logger("a"), logging.getLogger("b")):
        logger.debug("x")
        logger.info("x")
        logger.warning("x")
        logger.error("x")
    assert len(_lines(stream)) == 2 * expected


def test_requests_of_the_http_client_are_no_news() -> None:
    stream = _configured(log_format="json")
    logging.getLogger("httpx").info("HTTP Request: POST")
    logging.getLogger("httpx").warning("trouble")
    assert [line["event"] for line in _lines(stream)] == ["trouble"]


def test_configuring_again_replaces_the_first() -> None:
    first = _configured(log_format="json")
    logger = structlog.get_logger()
    logger.info("one")
    second = _configured(log_format="json", log_level="ERROR")
    logger.info("two")
    logger.error("three")
    assert [line["event"] for line in _lines(first)] == ["one"]
    assert [line["event"] for line in _lines(second)] == ["three"]


def test_bound_context_is_on_every_line() -> None:
    stream = _configured(log_format="json")
    structlog.contextvars.bind_contextvars(run_id="r1")
    structlog.get_logger().info("x")
    logging.getLogger("lib").warning("y")
    assert [line["run_id"] for line in _lines(stream)] == ["r1", "r1"]


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_secrets_of_the_settings_are_never_written(log_format: str) -> None:
    stream = _configured(
        log_format=log_format, identity_key=KEY, catalog_url="postgresql://pipeline:p%40ss-word@db/catalog"
    )
    logger = structlog.get_logger()
    logger.info(f"key is {KEY}", where=[{"deep": (KEY,)}], names={KEY: 1}, raw=KEY.encode())
    logger.warning("cannot connect to postgresql://pipeline:p%40ss-word@db/catalog", password_given="p@ss-word")
    logging.getLogger("lib").error("refused: %s", {"dsn": "p%40ss-word"})
    try:
        raise ValueError(f"wrong key {KEY}")
    except ValueError:
        logger.exception("failed")
        logging.getLogger("lib").exception("failed too")
    text = stream.getvalue()
    assert text.count("ValueError") >= 2
    assert not [secret for secret in (KEY, "p%40ss-word", "p@ss-word") if secret in text]


def test_value_under_a_telling_name_is_masked() -> None:
    stream = _configured(log_format="json")
    structlog.get_logger().info("x", api_key="1", headers={"Authorization": "Bearer abc"}, asset_key="core/dim_events")
    (line,) = _lines(stream)
    assert (line["api_key"], line["headers"]) == ("****", {"Authorization": "****"})
    assert line["asset_key"] == "core/dim_events"
