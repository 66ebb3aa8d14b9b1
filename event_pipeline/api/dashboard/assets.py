"""Styles, scripts and pictures of the pages: read once, compressed once, kept by browsers until they change."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from event_pipeline.api.problems import Problem

router = APIRouter(include_in_schema=False)

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent."""

    body: bytes
    compressed: bytes
    media_type: str
    mark: str


@cache
def asset(name: str) -> Asset:
    """The file of that name below ``static``. Raises KeyError for any other name."""
    if name not in _names():
        raise KeyError(name)
    path = _FOLDER / name
    body = path.read_bytes()
    mark = hashlib.sha256(body).hexdigest()[:12]
    return Asset(body, gzip.compress(body, mtime=0), _TYPES[path.suffix], mark)


def asset_url(name: str) -> str:
    """The address of a file, another one whenever it has changed."""
    return f"/assets/{name}?v={asset(name).mark}"


@router.get("/assets/{name:path}")
def asset_file(request: Request, name: str) -> Response:
    """The file; needs no key, as it says nothing of the organisation."""
    try:
        found = asset(name)
    except KeyError:
        raise Problem("not-found", f"there is no file {name!r}") from None
    headers = {"Cache-Control": _FOREVER, "Vary": "Accept-Encoding", "ETag": f'"{found.mark}"'}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.compressed, headers=headers | {"Content-Encoding": "gzip"}, media_type=found.media_type)
    return Response(found.body, headers=headers, media_type=found.media_type)


@cache
def _names() -> frozenset[str]:
    files = (path for path in _FOLDER.rglob("*") if path.suffix in _TYPES)
    return frozenset(path.relative_to(_FOLDER).as_posix() for path in files)
