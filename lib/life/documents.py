"""Documents of strangers, read in a process of their own."""

from __future__ import annotations

from lib.errors import Malformed
from lib.life.sandbox import Sandbox
from lib.text.documents import Document, read_document
from lib.text.ocr import OcrMissing


async def read_apart(data: bytes, sandbox: Sandbox) -> Document:
    """The document in a PDF file. Raises Malformed (and its kinds in `lib.life.sandbox`), OcrMissing."""
    return await sandbox.call(read_document, data, errors=(Malformed, OcrMissing))
