"""How an answer is sent: as JSON or a file, with an ETag that spares sending it again."""

import hashlib
from typing import Final

from fastapi import Request, Response
from pydantic import BaseModel

from api.reading import AskPrimary, of_replica

CSV = "text/csv; charset=utf-8"
JSON = "application/json"

FILES: Final = {
    "csv": CSV,
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
"""What an answer can be sent as beside JSON: the end of its address -> its media type."""


def wants_csv(request: Request) -> bool:
    """Whether the address ends in .csv, or Accept names text/csv before JSON or anything."""
    if request.url.path.endswith(".csv"):
        return True
    for part in request.headers.get("accept", "").split(","):
        media_type = part.partition(";")[0].strip().lower()
        if media_type in {"text/csv", "application/json", "*/*"}:
            return media_type == "text/csv"
    return False


def asked_file(request: Request) -> str | None:
    """The end of FILES that the address has, or whose type Accept names before JSON or anything."""
    _, dot, end = request.url.path.rpartition(".")
    if dot and end in FILES:
        return end
    ends = {media_type.partition(";")[0]: end for end, media_type in FILES.items()}
    for part in request.headers.get("accept", "").split(","):
        media_type = part.partition(";")[0].strip().lower()
        if media_type in ends:
            return ends[media_type]
        if media_type in {JSON, "*/*"}:
            return None
    return None


def json_answer(request: Request, answer: BaseModel) -> Response:
    """A model as JSON; fields that were not set are left out."""
    text = answer.model_dump_json(by_alias=True, exclude_unset=True)
    return _answer(request, text.encode(), JSON, {})


def csv_answer(request: Request, text: str, file_name: str) -> Response:
    """CSV, which a browser saves under ``file_name`` (ASCII without quotes)."""
    return file_answer(request, text.encode(), CSV, file_name)


def file_answer(request: Request, body: bytes, media_type: str, file_name: str) -> Response:
    """A file, likewise."""
    disposition = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    return _answer(request, body, media_type, disposition)


def _answer(request: Request, body: bytes, media_type: str, extra: dict[str, str]) -> Response:
    # Of the bytes sent, so that an answer cannot change behind its tag. Computing it costs little
    # beside the question; what it saves is the transfer.
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {
        "ETag": tag,
        "Vary": "Accept, Authorization, Cookie",
        "Cache-Control": "private, no-cache",
    }
    known = [part.strip() for part in request.headers.get("if-none-match", "").split(",")]
    if known != [""] and tag not in known and of_replica(request):
        raise AskPrimary  # they may have a newer one than the replica
    if tag in known or f"W/{tag}" in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers | extra)
