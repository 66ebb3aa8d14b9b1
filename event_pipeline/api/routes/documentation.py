"""``/docs``: Swagger UI from this package, so that it works without the internet; and the OpenAPI document."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import orjson
from fastapi import APIRouter, Request, Response
from starlette.responses import FileResponse, HTMLResponse

router = APIRouter(include_in_schema=False)

_FOLDER = Path(__file__).parent.parent / "static"
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Event Pipeline API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript; the document it shows is at /openapi.json.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_FILES = {
    "swagger-ui.css": "swagger/swagger-ui.css",
    "swagger-ui-bundle.js": "swagger/swagger-ui-bundle.js",
    "favicon-32x32.png": "swagger/favicon-32x32.png",
    "start.js": "start.js",
}
_FileName = Literal["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png", "start.js"]


@router.get("/docs")
async def docs() -> HTMLResponse:
    """The page."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _CSP, "Cache-Control": "no-cache"})


@router.get("/docs/{name}")
async def docs_file(name: _FileName) -> FileResponse:
    """What the page is made of."""
    return FileResponse(_FOLDER / _FILES[name], headers={"Cache-Control": "public, max-age=86400"})


@router.get("/openapi.json")
async def openapi_document(request: Request) -> Response:
    """The OpenAPI document."""
    body = orjson.dumps(request.app.openapi())
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-cache"})
