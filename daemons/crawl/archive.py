"""The raw answers of one board, kept as they came: under the hash of their content, with a record of who asked when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lib.net.messages import Response
from lib.posting import boards
from lib.posting.boards import RawResponse
from lib.store.blobs import Store, digest_of
from lib.store.connections import Database


@dataclass(frozen=True)
class Archive:
    """Where the answers of one board go during one session."""

    database: Database
    blobs: Store
    board_id: int
    session: str

    async def keep(self, response: Response, fetched_at: datetime) -> tuple[int, bytes]:
        """Stores an answer. Gives the id of its record, and the SHA-256 of its body."""
        key = await self.blobs.put(response.body)
        return await self.record(response, key, len(response.body), fetched_at), digest_of(key)

    async def record(self, response: Response, key: str, size: int, fetched_at: datetime) -> int:
        """Records that `response` brought the `size` bytes under `key`, and gives the record's id."""
        raw = RawResponse(
            board_id=self.board_id, session=self.session, url=response.url[:2_000], status=response.status,
            content_hash=digest_of(key), blob_key=key, size=size, fetched_at=fetched_at,
        )  # fmt: skip
        return await boards.add_raw(self.database, raw)


def raw_record(
    board_id: int,
    session: str,
    response: Response,
    digest: bytes,
    blob_key: str,
    fetched_at: datetime,
    blob_from: int = 0,
) -> RawResponse:
    """The record of an answer whose body, with the SHA-256 `digest`, lies under `blob_key` from byte `blob_from` on."""
    return RawResponse(
        board_id=board_id, session=session, url=response.url[:2_000], status=response.status,
        content_hash=digest, blob_key=blob_key, size=len(response.body),
        fetched_at=fetched_at, blob_from=blob_from,
    )  # fmt: skip
