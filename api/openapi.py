"""The OpenAPI 3.1 document, made of the table of operations and the types that validate."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from api.operation import Content, EventStream, Operation
from api.operations import OPERATIONS
from lib.life.config import Config
from lib.life.session import vakanz_version

_REF = "#/components/schemas/{name}"
_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "a key of `vakanz key create`"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-vakanz_session",
        "description": "of POST /session; what changes something needs its token in the header X-CSRF-Token as well",
    },
}
_RETRY_AFTER = {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 1}}}


def document(config: Config) -> dict[str, Any]:
    """The whole document as JSON values."""
    answered = {kind for one in OPERATIONS for kinds in one.documented(config).values() for kind in kinds}
    types = (answered | {one.body for one in OPERATIONS}) - {None, str, EventStream}
    _, schemas = msgspec.json.schema_components(sorted(types, key=str), ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for one in OPERATIONS:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, config)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Vakanz", "version": vakanz_version(), "description": "Open jobs, and who they fit."},
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _SECURITY},
    }


def _operation(one: Operation, config: Config) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": one.summary,
        "operationId": one.handler.__name__,
        "parameters": [*_path_parameters(one), *_query_parameters(one)],
        "responses": {str(status): _response(status, kinds) for status, kinds in one.documented(config).items()},
        "security": [{name: []} for name in _SECURITY] if one.needs_key(config) else [],
    }
    if one.body is not None or one.uploads:
        json = {} if one.body is None else {"application/json": {"schema": _reference(one.body)}}
        described["requestBody"] = {"required": True, "content": json | {kind: _upload(kind) for kind in one.uploads}}
    return described


def _response(status: int, kinds: tuple[Content, ...]) -> dict[str, Any]:
    media = [_media(kind) for kind in kinds if kind is not None]
    described: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        described["headers"] = _RETRY_AFTER
    return described | ({"content": dict(media)} if media else {})


def _media(kind: Content) -> tuple[str, dict[str, Any]]:
    if kind is EventStream:
        return "text/event-stream", {"schema": {"type": "string"}}
    if kind is str:
        return "text/plain", {"schema": {"type": "string"}}
    return "application/json", {"schema": _reference(kind)}


def _upload(media_type: str) -> dict[str, Any]:
    if media_type != "multipart/form-data":
        return {"schema": {"type": "string", "format": "binary"}}
    file = {"type": "string", "format": "binary"}
    return {"schema": {"type": "object", "properties": {"file": file}, "required": ["file"]}}


def _reference(body: Content) -> dict[str, Any]:
    ((schema,), _) = msgspec.json.schema_components([body], ref_template=_REF)
    return schema


def _path_parameters(one: Operation) -> list[dict[str, Any]]:
    kinds: dict[str, dict[str, Any]] = {name: {"type": "integer", "minimum": 0} for name in one.path_ids}
    kinds |= {name: {"type": "string", "format": "uuid"} for name in one.path_uuids}
    return [{"name": name, "in": "path", "required": True, "schema": kind} for name, kind in kinds.items()]


def _query_parameters(one: Operation) -> list[dict[str, Any]]:
    if one.query is None:
        return []
    (_, schemas) = msgspec.json.schema_components([one.query], ref_template=_REF)
    properties = schemas[one.query.__name__]["properties"]
    return [
        {"name": name, "in": "query", "required": False, "schema": _without_null(schema)}
        for name, schema in properties.items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query either has a value or not: null cannot be said there."""
    schema = {key: value for key, value in schema.items() if not (key == "default" and value is None)}
    if "anyOf" in schema:
        rest = [one for one in schema.pop("anyOf") if one.get("type") != "null"]
        return {**schema, **rest[0]}
    if None in schema.get("enum", ()):
        schema["enum"] = [value for value in schema["enum"] if value is not None]
    return schema
