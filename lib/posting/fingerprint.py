"""Whether a posting changed: hashes over what it says, never over when a system says it was touched.

Several systems move their update stamps for whole boards at once, so dates of publication are left out. So are teasers,
which lists cut anew for each question.
"""

from __future__ import annotations

import hashlib

import msgspec

from lib.posting.contract import Posting

HASH_BYTES = 16
_ENCODER = msgspec.json.Encoder(order="deterministic")


def content_hash(row: Posting, html_hash: bytes | None) -> bytes:
    """16 bytes over all that the row says, without its dates of publication; `html_hash` stands for its html."""
    said = (
        row.external_id, row.title, row.url, row.apply_url, row.company, row.places, row.country, row.remote,
        row.employment_type, row.department, row.language, row.salary, html_hash,
    )  # fmt: skip
    return hashlib.blake2b(_ENCODER.encode(said), digest_size=HASH_BYTES).digest()


def text_hash(text: str) -> bytes:
    """16 bytes over a text."""
    return hashlib.blake2b(text.encode(), digest_size=HASH_BYTES).digest()
