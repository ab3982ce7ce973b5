"""Why a document cannot be read, and what its sender should do, in German and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from lib.errors import Malformed

Tongue = Literal["de", "en"]
Reason = Literal[
    "locked", "damaged", "rtf", "packed", "parts", "unpacks", "doctype", "archive", "archived", "old_word", "heic",
    "bitmap", "unknown", "pages", "scans", "pictures", "pixels", "picture", "no_text", "nothing", "long", "encrypted",
    "pdf", "work", "slow",
]  # fmt: skip
# The English ones of `nothing`, `encrypted`, `pdf` and `slow` are how other rooms' messages begin.
REFUSALS: Mapping[Reason, Mapping[Tongue, str]] = {
    "locked": {
        "de": "das Dokument ist mit einem Passwort gesperrt: speichern Sie es ohne, und senden Sie es noch einmal",
        "en": "the document is locked with a password: save it without one, then send it again",
    },
    "damaged": {
        "de": "das Dokument ist beschädigt: öffnen und speichern Sie es neu, oder senden Sie es als PDF",
        "en": "the document is damaged: open and save it again, or send it as PDF",
    },
    "rtf": {
        "de": "die RTF-Datei ist beschädigt: öffnen und speichern Sie sie neu, oder senden Sie ein PDF",
        "en": "the RTF file is damaged: open and save it again, or send a PDF",
    },
    "packed": {
        "de": "das Dokument ist gesperrt oder ungewöhnlich gepackt: speichern Sie es ohne Passwort",
        "en": "the document is locked or packed unusually: save it without a password",
    },
    "parts": {
        "de": "die Datei hat zu viele Teile für einen Text: speichern Sie sie als PDF",
        "en": "the file holds too many parts for a text: save it again as PDF",
    },
    "unpacks": {
        "de": "das Dokument ist entpackt größer als 40 MB: speichern Sie es als PDF",
        "en": "the document unpacks to more than 40 MB: save it again as PDF",
    },
    "doctype": {
        "de": "das Dokument hat einen eigenen Dokumenttyp, was keine Textverarbeitung schreibt: speichern Sie es neu",
        "en": "the document declares a type of its own, which no word processor does: save it again",
    },
    "archive": {
        "de": "das ist ein Archiv oder von einem anderen Programm: senden Sie den Lebenslauf selbst, am besten als PDF",
        "en": "this is an archive or a file of another program: send the résumé itself, best as PDF",
    },
    "archived": {
        "de": "das ist ein Archiv: entpacken Sie es und senden Sie den Lebenslauf darin",
        "en": "this is an archive: unpack it and send the résumé in it",
    },
    "old_word": {
        "de": "das ist eine Datei von Word 97-2003: speichern Sie sie als DOCX oder PDF und senden Sie sie noch einmal",
        "en": "this is a file of Word 97-2003: save it as DOCX or PDF, then send it again",
    },
    "heic": {
        "de": "das ist ein Foto in HEIC oder AVIF: speichern Sie es als JPEG und senden Sie es noch einmal",
        "en": "this is a HEIC or AVIF photograph: save it as JPEG, then send it again",
    },
    "bitmap": {
        "de": "das ist ein Bild in GIF oder BMP: speichern Sie es als PNG und senden Sie es noch einmal",
        "en": "this is a GIF or BMP picture: save it as PNG, then send it again",
    },
    "unknown": {
        "de": "diese Art von Datei kennen wir nicht: senden Sie PDF, DOCX, ODT, RTF, Text, PNG, JPEG, TIFF oder WebP",
        "en": "nobody knows this kind of file: send PDF, DOCX, ODT, RTF, plain text, PNG, JPEG, TIFF or WebP",
    },
    "pages": {
        "de": "das Dokument hat mehr als 30 Seiten: senden Sie nur die des Lebenslaufs",
        "en": "the document has more than 30 pages: send the résumé's only",
    },
    "scans": {
        "de": "das Dokument hat zu viele gescannte Seiten: senden Sie nur die des Lebenslaufs, höchstens 5",
        "en": "the document has too many scanned pages: send the résumé's only, 5 at most",
    },
    "pictures": {
        "de": "die Datei hat mehr als 5 Bilder: senden Sie nur die Seiten des Lebenslaufs",
        "en": "the file has more than 5 pictures: send the résumé's pages only",
    },
    "pixels": {
        "de": "das Bild hat mehr als 50 Millionen Pixel: speichern Sie es kleiner",
        "en": "the picture has more than 50 million pixels: save it smaller",
    },
    "picture": {
        "de": "das Bild ist beschädigt: speichern Sie es neu als JPEG oder PNG",
        "en": "the picture is damaged: save it again as JPEG or PNG",
    },
    "no_text": {
        "de": "im Dokument steht kein Text: senden Sie eines mit Text, oder ein schärferes Bild",
        "en": "there is no text in the document: send one with text, or a sharper picture",
    },
    "nothing": {
        "de": "im Dokument ist nichts zu lesen: senden Sie eines mit Text, oder ein schärferes Bild",
        "en": "the document has nothing to read in it",
    },
    "long": {
        "de": "das Dokument hat mehr als 50.000 Zeichen: senden Sie den Lebenslauf ohne Anlagen",
        "en": "the document has more than 50,000 letters: send the résumé without its attachments",
    },
    "encrypted": {
        "de": "das Dokument ist verschlüsselt: speichern Sie es ohne Passwort",
        "en": "the document is encrypted: save it without a password",
    },
    "pdf": {
        "de": "das ist kein lesbares PDF: speichern Sie es neu",
        "en": "not a readable PDF",
    },
    "work": {
        "de": "das Dokument ist beschädigt oder macht zu viel Arbeit: speichern Sie es als einfaches PDF oder als Text",
        "en": "the document is damaged or takes too much work to read: save it again as a simple PDF or as text",
    },
    "slow": {
        "de": "ein Bild ließ sich nicht schnell genug lesen: senden Sie ein kleineres oder schärferes",
        "en": "a picture that could not be read within",
    },
}  # fmt: skip


def refused(reason: Reason) -> Malformed:
    """The error that says why."""
    return Malformed(REFUSALS[reason]["en"])


def explain(message: str, tongue: Tongue) -> str:
    """The message of an error in a person's language. German for what has no translation: that it is damaged."""
    if tongue == "en":
        return message
    known = (texts for texts in REFUSALS.values() if message.startswith(texts["en"]))
    return next(known, REFUSALS["work"])[tongue]
