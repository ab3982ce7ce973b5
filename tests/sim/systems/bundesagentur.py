"""Bundesagentur Jobsuche v6: searches with facets, of which only a window can be reached; details by encoded number."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import orjson

from tests.sim.companies import Company
from tests.sim.posting import Posting
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, System, board_page, missing, posting_page, size

_SERVICE = "/jobboerse/jobsuche-service"
_KEY = "jobboerse-jobsuche"
_REFERENCE = re.compile(r"10001-(\d{7,12})-S")
_LAND = {"DE": "DEUTSCHLAND", "AT": "OESTERREICH", "CH": "SCHWEIZ"}
_PERIODS = {"year": "JAHRESGEHALT", "month": "MONATSGEHALT", "hour": "STUNDENLOHN"}
_LARGEST_PAGE = 100


class Bundesagentur(System):
    """rest.arbeitsagentur.de and the public pages. `window`: how many rows of a search can be reached."""

    name = "bundesagentur"
    window = 10_000

    def tenant(self, company: Company) -> str:
        return f"de:{' '.join(company.words).lower()}:"

    def board_url(self, tenant: str) -> str:
        return f"https://www.arbeitsagentur.de/jobsuche/suche?was={quote(tenant.split(':')[1])}"

    def external_id(self, posting: Posting) -> str:
        return f"10001-{posting.number:010d}-S"

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"https://www.arbeitsagentur.de/jobsuche/jobdetail/{self.external_id(posting)}"

    def serves(self, host: str) -> bool:
        return host in ("rest.arbeitsagentur.de", "www.arbeitsagentur.de")

    def route(self, asked: Asked) -> Call | None:
        query = asked.query
        tenant = f"de:{query.get('was', '')}:"
        if asked.host.startswith("www."):
            number = asked.path.removeprefix("/jobsuche/jobdetail/")
            return Call("board", tenant) if asked.path == "/jobsuche/suche" else Call("page", "", (number,))
        if asked.headers.get("x-api-key") != _KEY:
            return Call("refused", tenant)
        code = asked.path.removeprefix(f"{_SERVICE}/pc/v4/jobdetails/")
        if code != asked.path:
            return Call("detail", "", (_decoded(code),))
        if asked.path != f"{_SERVICE}/pc/v6/jobs":
            return None
        page, rows = size(query.get("page"), 1, 100_000), size(query.get("size"), 25, 100_000)
        filters = [query.get(name, "") for name in ("berufsfeld", "wo", "befristung", "arbeitszeit")]
        return Call("list", tenant, (page, rows, *filters))

    def number(self, call: Call) -> int | None:
        found = _REFERENCE.fullmatch(str(call.args[0])) if call.args else None
        return int(found[1]) if found else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "refused":
            return Answer(b"", 403)
        if call.kind == "board":
            return board_page(self, view.board.tenant, view)
        if call.kind == "list":
            return self._list(view, *call.args)
        found = view.find(self.number(call) or 0)
        if found is None or not found[1]:
            return self.unknown(call)
        return posting_page(found[0]) if call.kind == "page" else Answer(orjson.dumps(self._detail(found[0])))

    def unknown(self, call: Call) -> Answer:
        if call.kind == "refused":
            return Answer(b"", 403)
        if call.kind == "list":
            return Answer(orjson.dumps({"maxErgebnisse": 0, "page": call.args[0], "size": call.args[1]}))
        return missing(b'{"messages":[{"code":"STELLENANGEBOT_NICHT_GEFUNDEN"}]}', "application/json; charset=utf-8")

    def saved_tenant(self, name: str, listing: bytes) -> str:
        return f"de:{name}:"

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing) if call.kind == "list" and call.args[0] == 1 else self.unknown(call)

    def _list(self, view: View, page: Any, rows: Any, *filters: Any) -> Answer:
        if rows > _LARGEST_PAGE or page < 1 or page * rows > self.window:
            detail = {"code": "EINGABEN_UNVOLLSTAENDIG_ODER_FEHLERHAFT", "path": "page"}
            return Answer(orjson.dumps({"messages": [detail]}), 400)
        start = (page - 1) * rows
        if page == 1 or any(filters):
            found = [one for one in view.postings() if _fits(one, *filters)]
            total = len(found) + (0 if any(filters) else view.total - len(view.keys))
            shown = found[start : start + rows]
        else:
            found, total, shown = [], view.total, view.postings(start, start + rows)
        body: dict[str, Any] = {"maxErgebnisse": total, "page": page, "size": rows}
        if shown:
            body["ergebnisliste"] = [self._row(posting) for posting in shown]
            body["facetten"] = _facets(found)
        return Answer(orjson.dumps(body | {"woOutput": {"suchmodus": "UMKREISSUCHE"}}))

    def _row(self, posting: Posting) -> dict[str, Any]:
        row: dict[str, Any] = {
            "referenznummer": self.external_id(posting),
            "stellenangebotsart": "PRAKTIKUM_TRAINEE" if posting.employment == "internship" else "ARBEIT",
            "stellenangebotsTitel": posting.title,
            "hauptberuf": _field(posting),
            "alleBerufe": [_field(posting)],
            "firma": posting.company.name,
            "stellenlokationen": [
                {
                    "adresse": {
                        "plz": city.postal,
                        "ort": city.name,
                        "region": city.region.upper().replace("-", "_"),
                        "land": _LAND[city.country],
                    },
                    "breite": city.latitude,
                    "laenge": city.longitude,
                }
                for city in posting.cities
            ],
            "entfernung": 0,
            "veroeffentlichungszeitraum": {"von": posting.published.date().isoformat()},
            "datumErsteVeroeffentlichung": posting.published.date().isoformat(),
            "aenderungsdatum": posting.published.strftime("%Y-%m-%dT%H:%M:%S.000"),
            "verguetungsangabe": "KEINE_ANGABEN",
            "vertragsdauer": "BEFRISTET" if posting.employment == "temporary" else "KEINE_ANGABE",
            "arbeitszeitVollzeit": posting.employment != "part_time",
            "arbeitszeitTeilzeitFlexibel": posting.employment == "part_time",
            "homeofficemoeglich": posting.remote in ("remote", "hybrid"),
            "istGeringfuegigeBeschaeftigung": False,
        }
        if posting.remote == "remote":
            row |= {"homeofficetyp": "ANGABE_IN_PROZENT", "homeofficeprozent": 100}
        if posting.pay is not None and posting.structured and posting.pay.currency == "EUR":
            row |= {"verguetungsangabe": _PERIODS[posting.pay.period], "artDerVerguetung": "GEHALTSSPANNE"}
            row |= {"gehaltsspanneVon": posting.pay.min, "gehaltsspanneBis": posting.pay.max or posting.pay.min}
        return row

    def _detail(self, posting: Posting) -> dict[str, Any]:
        text = "\n\n".join(section.plain() for section in posting.sections())
        return self._row(posting) | {"stellenangebotsBeschreibung": text, "istBetreut": False}


def _decoded(code: str) -> str:
    try:
        number = b64decode(code, validate=True)
    except (Error, ValueError):
        return ""
    return number.decode("ascii", "replace") if b64encode(number).decode() == code else ""


def _field(posting: Posting) -> str:
    return posting.occupation.name.replace("_", " ").title()


def _term(posting: Posting) -> str:
    return "1" if posting.employment == "temporary" else "2"


def _hours(posting: Posting) -> str:
    return "tz" if posting.employment == "part_time" else "vz"


def _fits(posting: Posting, field: str, town: str, term: str, hours: str) -> bool:
    return (
        field in ("", _field(posting))
        and town in ("", *(city.name for city in posting.cities))
        and term in ("", _term(posting))
        and hours in ("", _hours(posting))
    )


def _facets(found: Sequence[Posting]) -> dict[str, Any]:
    towns = Counter(city.name for posting in found for city in posting.cities)
    counts = {
        "berufsfeld": Counter(map(_field, found)),
        "arbeitsort": towns,
        "befristung": Counter(map(_term, found)),
        "arbeitszeit": Counter(map(_hours, found)),
    }
    return {name: {"counts": dict(count), "maxCount": len(found)} for name, count in counts.items()}


SYSTEM = Bundesagentur()
