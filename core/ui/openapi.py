"""What the API takes and gives, in the words of OpenAPI 3.1: limits in, a plain description out."""

from __future__ import annotations

from typing import Any

PATH = "/api/v1/predict/{model}"
REFUSALS = {
    "400": "The picture or the form cannot be read, or the model's file is damaged.",
    "403": "A page of another site asks. Programs, and the app itself, may.",
    "404": "There is no such model, or it is not yours and nobody shares it.",
    "405": "Only POST is answered here.",
    "408": "The picture took too long to arrive.",
    "413": "The picture is too large.",
    "415": "The request carries something else than a picture or a form.",
    "429": "Too many pictures in a short time. Wait as long as Retry-After says.",
    "500": "A fault of ours. The hint has the code under which the server's log has the details.",
    "503": "The server has its hands full. Wait as long as Retry-After says.",
}
WAITS = ("429", "503")


def describe(version: str, *, per_minute: int, max_mb: int) -> dict[str, Any]:
    """The description. `per_minute`: predictions for one person; `max_mb`: size of one picture in MB."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Bearings",
            "version": version,
            "description": (
                "Ask a model about a picture. "
                f"One person may ask {per_minute} times a minute; a picture may have {max_mb} MB."
            ),
        },
        "servers": [{"url": "/"}],
        "paths": {
            PATH: {"post": _predict(max_mb)},
            "/api/v1/openapi.json": {"get": _this()},
        },
        "components": {"schemas": _schemas(), "securitySchemes": _security()},
    }


def _predict(max_mb: int) -> dict[str, Any]:
    picture = {"type": "string", "contentMediaType": "image/*", "description": f"At most {max_mb} MB."}
    form = {"type": "object", "required": ["image"], "properties": {"image": picture}}
    kinds = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp")
    return {
        "operationId": "predict",
        "summary": "What a model says about one picture",
        "parameters": [
            {
                "name": "model",
                "in": "path",
                "required": True,
                "description": "The id of a training run or of a model brought along, or demo.",
                "schema": {"type": "string", "pattern": "^((link-)?[a-z2-7]{26}|demo)$"},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": form}, **{kind: {"schema": picture} for kind in kinds}},
        },
        "security": [{}, {"owner": []}],
        "responses": {
            "200": _answer("Prediction", "The answer."),
            **{status: _refusal(status, words) for status, words in REFUSALS.items()},
        },
    }


def _answer(schema: str, words: str) -> dict[str, Any]:
    return {
        "description": words,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def _refusal(status: str, words: str) -> dict[str, Any]:
    found = _answer("Refusal", words)
    if status in WAITS:
        wait = {"description": "Seconds to wait.", "required": True, "schema": {"type": "integer", "minimum": 1}}
        found["headers"] = {"Retry-After": wait}
    if status == "405":
        found["headers"] = {"Allow": {"description": "What is answered.", "schema": {"type": "string"}}}
    return found


def _this() -> dict[str, Any]:
    return {
        "operationId": "describe",
        "summary": "This description",
        "responses": {
            "200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {"type": "object"}}}},
            "405": _refusal("405", "Only GET and HEAD are answered here."),
        },
    }


def _schemas() -> dict[str, Any]:
    share = {"type": "number", "minimum": 0, "maximum": 1}
    sentence = {"type": "string", "minLength": 1}
    return {
        "Prediction": {
            "type": "object",
            "required": ["image", "label", "probabilities", "ms"],
            "additionalProperties": False,
            "properties": {
                "image": {"type": "string", "description": "The name of the file that was sent."},
                "label": {"type": "string", "description": "The class with the highest probability."},
                "probabilities": {
                    "type": "object",
                    "description": "By class, in the model's order; they add up to 1.",
                    "additionalProperties": share,
                    "minProperties": 1,
                },
                "ms": {
                    "type": "number",
                    "minimum": 0,
                    "description": "Milliseconds from opening the picture to the answer, without waiting for a turn.",
                },
            },
        },
        "Refusal": {
            "type": "object",
            "required": ["error", "hint"],
            "additionalProperties": False,
            "properties": {
                "error": {**sentence, "description": "What happened, in one sentence."},
                "hint": {**sentence, "description": "What to do next."},
            },
        },
    }


def _security() -> dict[str, Any]:
    words = "In a class: the cookie that a browser gets with its first page. A model that is shared needs none."
    return {"owner": {"type": "apiKey", "in": "cookie", "name": "bearings_owner", "description": words}}
