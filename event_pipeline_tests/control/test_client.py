"""Transport: whatever answers, or does not, becomes data or one clear error."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from event_pipeline.control.client import GraphQLClient, explain, refuse
from event_pipeline.control.errors import ServerAwayError, UnansweredError, WrongRequestError
from event_pipeline.errors import ControlError
from event_pipeline_tests.control.live import free_port

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def _server(answer: Answer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            answer(self)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _says(body: str, status: int = 200) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.end_headers()
        handler.wfile.write(body.encode())

    return answer


def test_data_of_the_answer_is_returned() -> None:
    with _server(_says('{"data": {"version": "1"}}')) as url, GraphQLClient(url) as client:
        assert client.execute("{ version }") == {"version": "1"}


def test_address_below_a_path_is_kept() -> None:
    paths = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        paths.append(handler.path)
        _says('{"data": {}}')(handler)

    with _server(answer) as url, GraphQLClient(f"{url}/dagster/") as client:
        client.execute("{ version }")
    assert paths == ["/dagster/graphql"]


def test_server_away_says_where_and_how_to_start_it() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with GraphQLClient(url) as client, pytest.raises(ServerAwayError, match=r"make up") as error:
        client.execute("{ version }")
    assert url in str(error.value)


def test_server_that_hangs_is_given_up_after_the_timeout() -> None:
    over = threading.Event()

    def hang(handler: BaseHTTPRequestHandler) -> None:
        over.wait(10)

    with _server(hang) as url, GraphQLClient(url, timeout_seconds=0.2) as client:
        with pytest.raises(ServerAwayError, match=r"within 0\.2 s") as asked:
            client.execute("{ version }")
        with pytest.raises(UnansweredError, match=r"within 0\.2 s"):
            client.execute("mutation LaunchRun { x }")
        over.set()
    assert not isinstance(asked.value, UnansweredError), "what only reads did nothing"


def test_a_change_that_could_not_even_be_sent_was_not_made() -> None:
    with GraphQLClient(f"http://127.0.0.1:{free_port()}") as client, pytest.raises(ServerAwayError) as error:
        client.execute("mutation LaunchRun { x }")
    assert not isinstance(error.value, UnansweredError)


@pytest.mark.parametrize(
    ("body", "status"),
    [("<h1>hello</h1>", 200), ("", 502), ("not found", 404), ("[]", 200), ('"text"', 200), ('{"detail": "no"}', 404)],
)
def test_something_else_at_the_address_is_called_so(body: str, status: int) -> None:
    away = pytest.raises(ServerAwayError, match="is not a Dagster webserver")
    with _server(_says(body, status)) as url, GraphQLClient(url) as client, away:
        client.execute("{ version }")


def test_graphql_error_is_passed_on_without_its_stack() -> None:
    body = json.dumps({"data": None, "errors": [{"message": "it broke\n\nStack Trace:\n  File x"}]})
    broken = pytest.raises(ControlError, match=r"it broke$")
    with _server(_says(body, 400)) as url, GraphQLClient(url) as client, broken:
        client.execute("{ version }")


def test_half_an_answer_is_an_error_not_a_traceback() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"data": {')

    with _server(answer) as url, GraphQLClient(url) as client, pytest.raises(ServerAwayError):
        client.execute("{ version }")


def test_password_in_the_address_is_never_shown() -> None:
    url = f"http://admin:hunter2@127.0.0.1:{free_port()}"
    with GraphQLClient(url) as client, pytest.raises(ServerAwayError) as error:
        client.execute("{ version }")
    assert "hunter2" not in str(error.value) + client.address


def test_proxy_of_the_environment_is_not_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with _server(_says('{"data": {"version": "1"}}')) as url, GraphQLClient(url) as client:
        assert client.execute("{ version }") == {"version": "1"}


@pytest.mark.parametrize("url", ["localhost:3000", "ftp://x", "http://", "", "http://[::1", "http://x:99999999"])
def test_address_that_is_none_is_a_wrong_request(url: str) -> None:
    with pytest.raises(WrongRequestError):
        GraphQLClient(url)


def test_explain_prefers_the_users_error_to_its_wrapper() -> None:
    error = {
        "className": "DagsterExecutionStepExecutionError",
        "message": "dagster._core.errors.DagsterExecutionStepExecutionError: Error occurred",
        "errorChain": [
            {"error": {"message": "event_pipeline.errors.PermanentError: the key is revoked\n", "className": "x"}},
            {"error": {"message": "KeyError: 'x'", "className": "KeyError"}},
        ],
    }
    assert explain(error) == "PermanentError: the key is revoked"


def test_explain_bounds_an_endless_message() -> None:
    assert len(explain({"message": "x" * 1_000_000})) < 2_000


def test_refuse_lists_every_configuration_error() -> None:
    error = refuse(
        {"__typename": "RunConfigValidationInvalid", "errors": [{"message": "a"}, {"message": "b"}]}, "launch x"
    )
    assert str(error) == "Dagster refused to launch x: a; b"
