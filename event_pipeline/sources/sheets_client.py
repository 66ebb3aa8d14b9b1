"""Google's Sheets and Drive APIs as the Sheets source needs them: three reads, paced, retried, with typed errors.

gspread builds the requests; this adds what it lacks: another host for a local server, the quota, and retries that end.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import tenacity

from event_pipeline.errors import PermanentError, TransientError
from event_pipeline.sources.retry import with_retries

if TYPE_CHECKING:
    from google.auth.credentials import Credentials
    from gspread.http_client import HTTPClient
    from requests import Response

T = TypeVar("T")

WINDOW_SECONDS = 60.0
_RATE_LIMITS = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"}
_SWITCHED_OFF = {"accessNotConfigured", "SERVICE_DISABLED"}


class ReadQuota:
    """At most ``reads_per_minute`` reads in any 60 seconds; ``take`` waits for its turn."""

    def __init__(
        self,
        reads_per_minute: int,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._taken: deque[float] = deque(maxlen=reads_per_minute)
        self._monotonic, self._sleep = monotonic, sleep

    def take(self) -> None:
        """Return when one more read keeps within the quota."""
        if len(self._taken) == self._taken.maxlen:
            wait = self._taken[0] + WINDOW_SECONDS - self._monotonic()
            if wait > 0:
                self._sleep(wait)
        self._taken.append(self._monotonic())


class DriveNotPermitted(PermanentError):
    """The Drive API may not be asked about this file; the Sheets API may still answer."""


@dataclass(frozen=True, slots=True)
class SpreadsheetDescription:
    """Titles of the worksheets in their order; the locale (``en_US``) and IANA time zone where Google says them."""

    titles: list[str]
    locale: str | None = None
    time_zone: str | None = None


class SheetsClient:
    """Reads spreadsheets. Every method retries transient failures; PermanentError says what to do about the others."""

    def __init__(
        self,
        credentials: Credentials,
        quota: ReadQuota,
        *,
        endpoint: str | None = None,
        timeout_seconds: float = 60.0,
        sleep: Callable[[float], None] = tenacity.nap.sleep,
    ) -> None:
        """``endpoint`` replaces Google's hosts (``http://127.0.0.1:8080``); ``timeout_seconds`` is for one request."""
        self._account = getattr(credentials, "service_account_email", None) or "the pipeline's Google account"
        self._sleep = sleep
        self.http = _http_client(credentials, quota, endpoint, self._account)
        self.http.set_timeout(timeout_seconds)

    def modified_time(self, spreadsheet_id: str) -> str | None:
        """When the file last changed by Drive's clock (RFC 3339 text); None when Drive may not be asked."""

        def read() -> str:
            answer = _expect(self.http.get_file_drive_metadata(spreadsheet_id), dict, "the file")
            return _expect(answer.get("modifiedTime"), str, "Drive's modifiedTime")

        try:
            return self._tried(read)
        except DriveNotPermitted:
            return None

    def worksheet_titles(self, spreadsheet_id: str) -> list[str]:
        """Titles of the worksheets, in their order."""
        return self.description(spreadsheet_id).titles

    def description(self, spreadsheet_id: str) -> SpreadsheetDescription:
        """The spreadsheet's worksheets, locale and time zone."""

        def read() -> SpreadsheetDescription:
            answer = _expect(self.http.fetch_sheet_metadata(spreadsheet_id), dict, "the spreadsheet")
            sheets = _expect(answer.get("sheets"), list, "the list of worksheets")
            properties = [
                _expect(_expect(sheet, dict, "a worksheet").get("properties"), dict, "a worksheet") for sheet in sheets
            ]
            titles = [_expect(item.get("title"), str, "a worksheet's title") for item in properties]
            about = answer.get("properties")
            about = about if isinstance(about, dict) else {}
            return SpreadsheetDescription(
                titles, _text_or_none(about.get("locale")), _text_or_none(about.get("timeZone"))
            )

        return self._tried(read)

    def values(self, spreadsheet_id: str, ranges: Sequence[str], *, is_formatted: bool = True) -> list[list[list[Any]]]:
        """Rows of cell texts as shown, for each A1 range in order, in one request. Rows may be ragged or empty.

        Without ``is_formatted`` cells with numbers and dates are numbers, whatever they show.
        """
        params: dict[str, Any] = {} if is_formatted else {"valueRenderOption": "UNFORMATTED_VALUE"}

        def read() -> list[list[list[Any]]]:
            answer = self.http.values_batch_get(spreadsheet_id, list(ranges), dict(params))
            answer = _expect(answer, dict, "the values")
            found = _expect(answer.get("valueRanges"), list, "the value ranges")
            if len(found) != len(ranges):
                raise TransientError(f"Google answered {len(found)} of {len(ranges)} ranges; the answer is incomplete")
            return [_rows(item) for item in found]

        return self._tried(read)

    def _tried(self, call: Callable[[], T]) -> T:
        return with_retries(lambda: _typed_errors(call, self._account), sleep=self._sleep)


def _http_client(credentials: Credentials, quota: ReadQuota, host: str | None, account: str) -> HTTPClient:
    from gspread.http_client import HTTPClient

    class PacedClient(HTTPClient):
        """gspread's client, on another host when told so, within the quota, raising the pipeline's errors."""

        def request(self, method: str, endpoint: str, *args: Any, **kwargs: Any) -> Response:
            kwargs |= dict(zip(("params", "data", "json", "files", "headers"), args, strict=False))
            path = urlsplit(endpoint).path
            is_drive = path.startswith("/drive/")
            if not is_drive:  # Drive's quota is its own, and far larger
                quota.take()
            url = f"{host.rstrip('/')}{path}" if host else endpoint
            session: Any = self.session  # google-auth annotates its timeout as whole seconds
            response = session.request(method, url, timeout=self.timeout, **kwargs)
            if not response.ok:
                raise _error_of(response, account, is_drive)
            return response

    return PacedClient(credentials)


def _typed_errors(call: Callable[[], T], account: str) -> T:
    from google.auth.exceptions import GoogleAuthError, TransportError
    from requests.exceptions import JSONDecodeError, RequestException

    try:
        return call()
    except JSONDecodeError:
        raise TransientError("Google's answer broke off: it is not whole JSON") from None
    except RequestException as error:
        raise TransientError(f"Google could not be reached or broke off: {type(error).__name__}") from error
    except GoogleAuthError as error:
        if isinstance(error, TransportError) or error.retryable:
            raise TransientError(f"signing in to Google failed: {type(error).__name__}") from error
        raise PermanentError(
            f"Google refused the credentials of {account}; check that sheets.credentials_path is a valid key of a "
            "service account that still exists"
        ) from error


def _error_of(response: Response, account: str, is_drive: bool) -> PermanentError | TransientError:
    """What a failed answer means and what to do about it."""
    status = response.status_code
    message, reasons = _explanation(response)
    if status in (408, 429) or status >= 500 or (status == 403 and reasons & _RATE_LIMITS):
        return TransientError(f"Google answered {status}: {message}", _retry_after_seconds(response))
    if is_drive and status in (403, 404):
        return DriveNotPermitted(f"Drive answered {status}: {message}")
    if status == 403 and reasons & _SWITCHED_OFF:
        return PermanentError("the Google Sheets API is switched off; enable it in the service account's project")
    if status == 403:
        return PermanentError(f"{account} may not read this spreadsheet; share it with {account} as a viewer")
    if status == 404:
        return PermanentError("there is no spreadsheet with this id; correct the id or remove it from the settings")
    if status == 401:
        return PermanentError(f"Google did not accept the credentials of {account}; check sheets.credentials_path")
    if status == 400 and "Unable to parse range" in message:
        return TransientError("a worksheet was renamed or removed while it was read")
    return PermanentError(f"Google refused the request with {status}: {message}")


def _explanation(response: Response) -> tuple[str, set[str]]:
    """Google's own message and reason codes; both API generations put them in different places."""
    try:
        error = response.json()["error"]
        details = [*error.get("errors", []), *error.get("details", [])]
        return str(error.get("message"))[:300], {str(detail.get("reason")) for detail in details}
    except (ValueError, KeyError, TypeError, AttributeError):  # an error page of something in between
        return response.reason or "no explanation", set()


def _retry_after_seconds(response: Response) -> float | None:
    """Seconds that Retry-After asks to wait, given as a number or as a date; None when it is absent or garbled."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()) if text else None
    except (ValueError, TypeError):
        return None


def _rows(value_range: object) -> list[list[Any]]:
    """Rows of one range; a range without values is an empty worksheet."""
    value_range = _expect(value_range, dict, "a value range")
    _expect(value_range.get("range"), str, "the range of the values")
    rows = _expect(value_range.get("values", []), list, "the rows")
    return [_expect(row, list, "a row") for row in rows]


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _expect(value: Any, kind: type[T], what: str) -> T:
    if not isinstance(value, kind):
        raise TransientError(f"Google's answer lacks {what}; the answer is incomplete")
    return value
