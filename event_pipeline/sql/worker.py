"""The process that runs queries, one after another, until its parent is gone or kills it.

It is started as ``python -m event_pipeline.sql.worker FD`` with one end of a socket, over which come first its settings
and then requests. Whatever it answers is text or Arrow: the parent need not trust it.
"""

from __future__ import annotations

import socket
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson

from event_pipeline.sql import frames
from event_pipeline.sql.confinement import allow_processor_seconds, confine, silence
from event_pipeline.sql.errors import InvalidQueryError
from event_pipeline.sql.faults import Faults
from event_pipeline.sql.query import Query
from event_pipeline.sql.rendering import Cut, chunks

if TYPE_CHECKING:
    from event_pipeline.settings import Settings
    from event_pipeline.sql.engine import Engine

_ROWS_AT_ONCE = {"arrow": 20_480}
_FEW_ROWS = 2048
_UNWRITTEN = frozenset({"BIT", "BIGNUM", "TIME WITH TIME ZONE"})
"""Types of which Arrow keeps too little to write them as text."""

_NESTING = 10_000
"""How deep a parse tree may be: enough for thousands of terms, little enough for the stack."""


def main() -> None:
    """Serve the socket whose number is the first argument."""
    parent = socket.socket(fileno=int(sys.argv[1]))
    try:
        _run(parent, orjson.loads(frames.receive(parent).body))
    except (EOFError, OSError):
        # The parent is gone, and with it whoever asked.
        return
    except Exception as error:  # noqa: BLE001
        frames.send(parent, frames.FAULT, f"{type(error).__name__}: {error}".encode())


def _run(parent: socket.socket, given: dict[str, Any]) -> None:
    from event_pipeline.settings import Settings
    from event_pipeline.sql.engine import opened

    settings = Settings(**given["settings"])
    sys.setrecursionlimit(_NESTING)
    with opened(settings) as engine:
        confine(settings.sql.memory_megabytes)
        silence()
        frames.send(parent, frames.READY, b"")
        _serve(parent, engine, Faults(given["hidden"]), settings)


def _serve(parent: socket.socket, engine: Engine, faults: Faults, settings: Settings) -> None:
    while True:
        request = orjson.loads(frames.receive(parent).body)
        allow_processor_seconds(request["seconds"] * settings.sql.threads)
        query = Query(request["sql"], request["params"], request["dialect"], request["explain"])
        sql = query.sql
        try:
            sql = engine.checked(query)
            _answer(parent, engine, sql, query, request)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001
            frames.send(parent, frames.FAULT, orjson.dumps(asdict(faults.of(error, sql))))
        engine.make_ready()


def _answer(parent: socket.socket, engine: Engine, sql: str, query: Query, request: dict[str, Any]) -> None:
    began = time.perf_counter()
    with engine.running(sql, query, request["seconds"]) as cursor:
        columns = [{"name": item[0], "type": str(item[1])} for item in cursor.description or ()]
        _check_types(columns)
        reader = cursor.to_arrow_reader(_ROWS_AT_ONCE.get(request["shape"], _FEW_ROWS))
        head = {"columns": columns, "sql": sql}
        if request["shape"] == "arrow":
            head["schema"] = reader.schema.serialize().to_pybytes().hex()
        frames.send(parent, frames.COLUMNS, orjson.dumps(head))
        cut = Cut(request["rows"], request["bytes"])
        for chunk in chunks(request["shape"], [item["name"] for item in columns], reader, cut):
            frames.send(parent, frames.ROWS, chunk)
    end = {"rows": cut.rows, "truncated": cut.truncated, "milliseconds": (time.perf_counter() - began) * 1000}
    frames.send(parent, frames.END, orjson.dumps(end))


def _check_types(columns: list[dict[str, str]]) -> None:
    for column in columns:
        if column["type"] in _UNWRITTEN:
            raise InvalidQueryError(f"the column {column['name']!r} is {column['type']}; cast it to VARCHAR")


if __name__ == "__main__":
    main()
