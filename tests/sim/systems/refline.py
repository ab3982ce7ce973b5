"""Refline: one table, its cells named by their class; unknown tenants get the vendor's page, unknown ads a husk."""

from __future__ import annotations

import re
from html import escape
from zlib import crc32

from tests.sim.companies import Company
from tests.sim.posting import Posting
from tests.sim.structured import job_posting, script, text_of
from tests.sim.view import View
from tests.sim.wire import HTML, Answer, Asked, Call, Saved, System, missing, page

_LIST = re.compile(r"/(\d{6})/search\.html")
_AD = re.compile(r"/(\d{6})/(\d{1,12})/pub/1(?:/(?:index\.html)?)?")


class Refline(System):
    """apply.refline.ch."""

    name = "refline"

    def tenant(self, company: Company) -> str:
        return str(410_000 + company.index)

    def board_url(self, tenant: str) -> str:
        return f"https://apply.refline.ch/{tenant}/search.html"

    def external_id(self, posting: Posting) -> str:
        return f"{posting.number}-1"

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"https://apply.refline.ch/{tenant}/{posting.number}/pub/1/index.html"

    def serves(self, host: str) -> bool:
        return host == "apply.refline.ch"

    def robots(self, host: str) -> str | None:
        return "User-agent: *\nDisallow: /rec01/1/\n"

    def route(self, asked: Asked) -> Call | None:
        if match := _LIST.fullmatch(asked.path):
            return Call("list", match[1], (asked.query.get("form.buttons.listAll") == "1",))
        match = _AD.fullmatch(asked.path)
        return Call("detail", match[1], (int(match[2]),)) if match else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "list":
            return self._list(view, whole=bool(call.args[0]))
        found = view.find(int(call.args[0]))
        if found is None or not found[1]:
            return _husk()
        posting = found[0]
        node = script(job_posting(posting, self.posting_url(view.board.tenant, posting)))
        return page(posting.title, f'{node}<div id="bDescription">{text_of(posting)}</div>')

    def unknown(self, call: Call) -> Answer:
        return page("Refline - Bewerbermanagement Software", "<h1>Refline</h1>") if call.kind == "list" else _husk()

    def saved_tenant(self, name: str, listing: bytes) -> str:
        return str(100_000 + crc32(name.encode()) % 900_000)

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing, content_type=HTML) if call.kind == "list" else missing()

    def _list(self, view: View, *, whole: bool) -> Answer:
        shown = view.postings() if whole else view.postings(0, 10)
        count = f"<p>Es liegen {view.total} Angebote vor.</p>" if view.board.company.index % 2 else ""
        rows = "".join(self._row(posting, view.board.tenant) for posting in shown)
        head = '<tr><th class="position">Stelle</th><th class="workplace">Ort</th></tr>'
        name = escape(view.board.company.name)
        return page(view.board.company.name, f"<h1>{name}</h1>{count}<table>{head}{rows}</table>")

    def _row(self, posting: Posting, tenant: str) -> str:
        city = posting.city
        cells = {
            "workload": "50 %" if posting.employment == "part_time" else "100 %",
            "workplace": city.english if posting.language == "en" else city.name,
            "published": posting.published.strftime("%d.%m.%Y"),
            "department": posting.department,
        }
        link = f'<a href="{self.posting_url(tenant, posting)}">{escape(posting.title)}</a>'
        rest = "".join(f'<td class="{name}">{escape(value)}</td>' for name, value in cells.items())
        return f'<tr><td class="position">{link}</td>{rest}</tr>'


def _husk() -> Answer:
    """An ad that is not there."""
    return Answer(b"<!doctype html><html><head><title></title></head><body><div></div></body></html>", 200, HTML)


SYSTEM = Refline()
