"""BambooHR career sites, the JSON that their own pages read.

Source   https://{tenant}.bamboohr.com/careers/list, then .../careers/{id}/detail for each text
         Facts: recorded lists and working clients, read 2026-11. No key, not documented: robots.txt is obeyed.
Shape    one document with the whole board: `result`, and `meta.totalCount` rows. The list has neither text nor date
Units    the date is a day; pay is free text
Errors   404 or a redirect to www.bamboohr.com for an unknown tenant, and where the career site is switched off
Unsure   what the numbers of `locationType` mean (0 on site, 1 remote, 2 hybrid) is read from what rows have them;
         details are known from working clients; limits and conditional GET are not documented
Traps    the place is in `location` (an office) or in `atsLocation` (typed in); ids are texts; labels have stray blanks
"""

from __future__ import annotations

import re
from typing import Any

from daemons.sources.families.subdomains import Subdomains
from lib.net.messages import Request, Response
from lib.posting.contract import Completeness, Confidence, Page, Posting, Record, Remote, read_one, read_page
from lib.posting.countries import country_code
from lib.posting.envelopes import count_of, rows_of
from lib.posting.links import Ids
from lib.posting.values import line, moment, places, salary_phrase

_IDS = Ids(re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII))
_REMOTE: dict[str, Remote] = {"0": "onsite", "1": "remote", "2": "hybrid"}
_IGNORED = ("departmentId", "employmentType", "jobCategoryId", "jobOpeningShareUrl", "jobOpeningStatus")
_IGNORED_DETAIL = ("minimumExperience", "seekStatus", "sourceTrackingShareUrl")


class BambooHR(Subdomains):
    name = "bamboohr"
    title = "BambooHR"
    completeness = Completeness.DOCUMENT
    confidence = Confidence.CONFIRMED
    ending = ".bamboohr.com"
    reserved = frozenset({"documentation", "help", "partners", "resources", "static", "status"})
    page = "/careers"

    def request(self, tenant: str, cursor: str | None) -> Request:
        return Request(url=f"{self.board_url(tenant)}/list", headers={"Accept": "application/json"})

    def parse(self, tenant: str, response: Response) -> Page:
        board = self.board_url(tenant)
        self.check_hosted(response)
        body = response.json_object()
        openings, total = rows_of(body, "result"), count_of(body, "meta", "totalCount")
        return read_page(openings, lambda opening: _listed(opening, board), total=total)

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        detail = f"{self.board_url(tenant)}/{_IDS.check(external_id)}/detail"
        return Request(url=detail, headers={"Accept": "application/json"}, state=external_id)

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        """The full posting; its `html` is "" when there is no text. Raises Malformed, Gone.

        A detail does not have its id: it is the one that was asked for, or the end of the address to be shared.
        """
        board = self.board_url(tenant)
        self.check_hosted(response)
        result = response.json_object().get("result")
        opening = result.get("jobOpening") if isinstance(result, dict) else None
        external_id = _IDS.check(response.request.state or _shared(opening))
        return read_one(opening, lambda record: _detailed(record, external_id, board))


def _shared(opening: Any) -> str:
    address = opening.get("jobOpeningShareUrl") if isinstance(opening, dict) else None
    return address.rpartition("/careers/")[2] if isinstance(address, str) else ""


def _listed(opening: Record, board: str) -> Posting:
    return _row(opening, _IDS.check(opening.take("id")), board)


def _detailed(opening: Record, external_id: str, board: str) -> Posting:
    opening.skip(_IGNORED_DETAIL)
    return _row(opening, external_id, board, opening.html("description") or "")


def _row(opening: Record, external_id: str, board: str, html: str | None = None) -> Posting:
    named, country = _where(opening)
    opening.skip(_IGNORED)
    return Posting(
        external_id=external_id,
        title=line(opening.need("jobOpeningName", str)) or "",
        url=f"{board}/{external_id}",
        places=named,
        country=country,
        remote=_remote(opening),
        employment_type=line(opening.get("employmentStatusLabel", str)),
        department=line(opening.get("departmentLabel", str)),
        posted_at=moment(opening.get("datePosted", str)),
        salary=salary_phrase(opening.get("compensation", str)),
        html=html,
    )


def _where(opening: Record) -> tuple[tuple[str, ...], str | None]:
    """The office and the typed-in place, either of which may be empty, and the first country that is named."""
    named, countries = [], []
    for place in filter(None, (opening.sub("location"), opening.sub("atsLocation"))):
        town, state, province = (line(place.get(name, str)) for name in ("city", "state", "province"))
        country = line(place.get("addressCountry", str)) or line(place.get("country", str))
        named.append(", ".join(dict.fromkeys(part for part in (town, state or province, country) if part)))
        countries.append(country_code(country))
        place.skip(("postalCode", "addressLine1", "addressLine2"))
    return places(named), next(filter(None, countries), None)


def _remote(opening: Record) -> Remote | None:
    is_remote: Any = opening.take("isRemote")
    kind = opening.take("locationType")
    return "remote" if is_remote in (True, 1, "1") else _REMOTE.get(str(kind))
