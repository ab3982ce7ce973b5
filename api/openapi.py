"""The OpenAPI 3.1 document, made of the table of operations and the types that validate."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from api.operations import OPERATIONS, Operation
from lib.life.config import Config
from lib.life.session import vakanz_version

_REF = "#/components/schemas/{name}"
_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "a key of `vakanz key create`"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def document(config: Config) -> dict[str, Any]:
    """The whole document as JSON values."""
    types = {
        kind for one in OPERATIONS for kind in (*one.documented(config).values(), one.body) if kind not in (None, str)
    }
    named = sorted(types, key=lambda kind: kind.__name__)
    _, schemas = msgspec.json.schema_components(named, ref_template=_REF)
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
        "responses": {str(status): _response(status, body) for status, body in one.documented(config).items()},
        "security": [{"bearer": []}, {"header": []}] if one.needs_key(config) else [],
    }
    if one.body is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": _reference(one.body)}}}
    return described


def _response(status: int, body: type) -> dict[str, Any]:
    media = (
        {"text/plain": {"schema": {"type": "string"}}}
        if body is str
        else {"application/json": {"schema": _reference(body)}}
    )
    return {"description": HTTPStatus(status).phrase, "content": media}


def _reference(body: type) -> dict[str, Any]:
    ((schema,), _) = msgspec.json.schema_components([body], ref_template=_REF)
    return schema


def _path_parameters(one: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}
        for name in one.path_ids
    ]


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
