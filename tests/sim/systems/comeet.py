"""Comeet: a hosted page that says the company's token, and the careers API that wants it."""

from __future__ import annotations

import re
from typing import Any

import orjson

from tests.sim.companies import Company
from tests.sim.posting import Posting, number_of
from tests.sim.text import markup
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, System, board_page, missing, page, posting_or_missing

_API = re.compile(r"/careers-api/2\.0/company/([0-9A-F]+\.[0-9A-F]{3})/positions/?")
_PAGE = re.compile(r"/jobs/([^/]+/[0-9A-F]+\.[0-9A-F]{3})(?:/[^/]+/([0-9A-F]{2,8})\.([0-9A-F]{3}))?/?")
_EMPLOYMENT = {
    "full_time": "Full-time",
    "part_time": "Part-time",
    "temporary": "Temporary",
    "internship": "Internship",
}
_WORKPLACE = {"remote": "Remote", "hybrid": "Hybrid", "onsite": "On-site", None: None}


class Comeet(System):
    """www.comeet.com with the pages, www.comeet.co with the API. A tenant is a slug and the company's uid."""

    name = "comeet"

    def tenant(self, company: Company) -> str:
        return f"{''.join(company.words).lower()}/{_uid(company.index)}"

    def board_url(self, tenant: str) -> str:
        return f"https://www.comeet.com/jobs/{tenant}"

    def external_id(self, posting: Posting) -> str:
        return _uid(posting.key)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}/stelle/{self.external_id(posting)}"

    def serves(self, host: str) -> bool:
        return host in ("www.comeet.com", "www.comeet.co")

    def route(self, asked: Asked) -> Call | None:
        if match := _API.fullmatch(asked.path):
            tenant = _tenant(asked.query.get("token", ""))
            with_text = asked.query.get("details") == "true"
            return Call("list", tenant if tenant.endswith(f"/{match[1]}") else "", (with_text,))
        if match := _PAGE.fullmatch(asked.path):
            number = number_of(int(match[2] + match[3], 16)) if match[2] else 0
            return Call("page", match[1], (number,))
        return None

    def answer(self, call: Call, view: View) -> Answer:
        tenant, company = view.board.tenant, view.board.company
        if call.kind == "list":
            return Answer(orjson.dumps(self._positions(view, with_text=bool(call.args[0]))))
        if call.args[0]:
            return posting_or_missing(view.find(int(call.args[0])))
        if company.index % 3 == 0:  # some pages have the positions themselves and no token
            script = b"COMPANY_POSITIONS_DATA = " + orjson.dumps(self._positions(view, with_text=True)) + b";"
            script = script.replace(b"</", b"<\\/")
        else:
            script = _init(tenant, company.name)
        board = board_page(self, tenant, view)
        return Answer(board.body + b"<script>" + script + b"\n</script>", content_type=board.content_type)

    def unknown(self, call: Call) -> Answer:
        if call.kind == "list":
            return Answer(b'{"status":400,"message":"Bad token"}', 400)
        return missing()

    def saved_tenant(self, name: str, listing: bytes) -> str:
        return f"{name}/12.345"

    def unpack(self, payload: bytes) -> tuple[bytes, dict[str, bytes]]:
        saved = orjson.loads(payload)
        return (orjson.dumps(saved["data"]) if isinstance(saved, dict) else payload), {}

    def replay(self, call: Call, saved: Saved) -> Answer:
        if call.kind == "list":
            return Answer(saved.listing)
        return page(saved.tenant, f"<script>{_init(saved.tenant, saved.tenant).decode()}</script>")

    def _positions(self, view: View, *, with_text: bool) -> list[dict[str, Any]]:
        tenant = view.board.tenant
        rows = [self._position(posting, tenant, with_text=with_text) for posting in view.postings()]
        # A posting that has just been closed is an internal one for a day, on every second board.
        hidden = view.closed_today() if rows and view.board.company.index % 2 else []
        internal = [self._position(posting, tenant, with_text=with_text) for posting in hidden]
        return rows + [{**row, "is_internal": True} for row in internal]

    def _position(self, posting: Posting, tenant: str, *, with_text: bool) -> dict[str, Any]:
        city, company, uid = posting.city, posting.company, self.external_id(posting)
        api = f"https://www.comeet.co/careers-api/2.0/company/{tenant.rpartition('/')[2]}/positions/{uid}"
        row: dict[str, Any] = {
            "name": posting.title,
            "department": posting.department,
            "email": None,
            "uid": uid,
            "employment_type": _EMPLOYMENT[posting.employment],
            "experience_level": None,
            "workplace_type": _WORKPLACE[posting.remote],
            "location": {
                "name": city.english,
                "country": city.country,
                "city": city.english if posting.language == "en" else city.name,
                "state": city.region_code,
                "postal_code": "",
                "street_name": posting.address,
                "timezone": "Europe/Berlin",
                "location_uid": _uid(city.weight),
                "is_remote": posting.remote == "remote",
            },
            "url_comeet_hosted_page": self.posting_url(tenant, posting),
            "url_active_page": f"https://{company.domain}/jobs/{uid}",
            "time_updated": posting.published.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "company_name": company.name,
            "is_internal": False,
            "position_url": f"{api}?token={_token(tenant)}",
        }
        return {**row, "details": _details(posting)} if with_text else row


def _details(posting: Posting) -> list[dict[str, Any]]:
    """The parts, last one first: their order is a field."""
    texts = [markup(section, posting.company.style) for section in posting.sections()]
    parts = [("Description", "".join(texts[:3])), ("Responsibilities", None), ("Requirements", "".join(texts[3:]))]
    return [{"name": name, "value": value, "order": order} for order, (name, value) in enumerate(parts, 1)][::-1]


def _uid(number: int) -> str:
    return f"{number >> 12:02X}.{number & 0xFFF:03X}"


def _init(tenant: str, name: str) -> bytes:
    given = {"token": _token(tenant), "company-uid": tenant.rpartition("/")[2], "company-name": name}
    return b"COMEET.init(" + orjson.dumps(given) + b");"


def _token(tenant: str) -> str:
    return tenant.encode().hex().upper()


def _tenant(token: str) -> str:
    """Whose token it is, "" where nobody's."""
    try:
        return bytes.fromhex(token).decode()
    except ValueError:
        return ""


SYSTEM = Comeet()
