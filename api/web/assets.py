"""The few files that pages load: styles, scripts, an icon. Their addresses name their contents, so caches keep them."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from aiohttp import web

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_NAMES = frozenset({"vakanz.css", "vakanz.js", "htmx.min.js", "hx-sse.min.js", "icon.svg"})
_KEPT = "public, max-age=31536000, immutable"


class Asset(NamedTuple):
    """One file: its contents and the mark that tells this version from all others."""

    body: bytes
    version: str


@cache
def _asset(name: str) -> Asset:
    body = files("api.web").joinpath("static", name).read_bytes()
    return Asset(body, hashlib.sha256(body).hexdigest()[:12])


def address(name: str) -> str:
    """The path of a file, which changes with its contents."""
    return f"/static/{name}?v={_asset(name).version}"


async def send(request: web.Request) -> web.Response:
    """GET /static/{name}."""
    name = request.match_info["name"]
    if name not in _NAMES:
        raise web.HTTPNotFound
    asset = _asset(name)
    kept = _KEPT if request.query.get("v") == asset.version else "no-cache"
    kind = _TYPES[name[name.rindex(".") :]]
    return web.Response(body=asset.body, content_type=kind, charset="utf-8", headers={"Cache-Control": kept})
