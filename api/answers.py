"""How an answer is sent: as JSON or CSV, with an ETag that spares sending it again."""

import hashlib

from fastapi import Request, Response
from pydantic import BaseModel

CSV = "text/csv; charset=utf-8"
JSON = "application/json"


def wants_csv(request: Request) -> bool:
    """Whether the address ends in .csv, or Accept names text/csv before JSON or anything."""
    if request.url.path.endswith(".csv"):
        return True
    for part in request.headers.get("accept", "").split(","):
        media_type = part.partition(";")[0].strip().lower()
        if media_type in {"text/csv", "application/json", "*/*"}:
            return media_type == "text/csv"
    return False


def json_answer(request: Request, answer: BaseModel) -> Response:
    """A model as JSON; fields that were not set are left out."""
    text = answer.model_dump_json(by_alias=True, exclude_unset=True)
    return _answer(request, text, JSON, {})


def csv_answer(request: Request, text: str, file_name: str) -> Response:
    """CSV, which a browser saves under ``file_name`` (ASCII without quotes)."""
    disposition = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    return _answer(request, text, CSV, disposition)


def _answer(request: Request, text: str, media_type: str, extra: dict[str, str]) -> Response:
    body = text.encode()
    # Of the bytes sent, so that an answer cannot change behind its tag. Computing it costs little
    # beside the question; what it saves is the transfer.
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Vary": "Accept, Authorization", "Cache-Control": "private, no-cache"}
    known = [part.strip() for part in request.headers.get("if-none-match", "").split(",")]
    if tag in known or f"W/{tag}" in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers | extra)
