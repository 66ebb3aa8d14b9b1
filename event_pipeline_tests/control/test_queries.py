"""The documents fit the installed Dagster's schema, so that an upgrade that breaks one is seen here first."""

from __future__ import annotations

from functools import cache

import pytest

from event_pipeline.control.queries import DOCUMENTS


@cache
def _schema():
    from dagster_graphql.schema import create_schema

    return create_schema().graphql_schema


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_document_is_valid_in_the_installed_schema(name: str) -> None:
    from graphql import parse, validate

    assert validate(_schema(), parse(DOCUMENTS[name])) == []


def test_every_document_is_checked() -> None:
    assert {"LOCATION", "LAUNCH_RUN", "LAUNCH_BACKFILL", "RUN_LOG", "STOP_SENSOR"} <= DOCUMENTS.keys()
