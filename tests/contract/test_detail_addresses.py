"""Where details are asked for: where the list says, never on another host, and with a word where that is assumed."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from daemons.sources import SOURCES, source
from lib.net.messages import Request
from lib.posting.contract import DetailSource
from tests.contract.test_sources import samples

DETAILS = {name: one for name, one in SOURCES.items() if isinstance(one, DetailSource)}
KNOWN = {name: next(golden for _, _, golden in samples(one) if "detail_of" in golden) for name, one in DETAILS.items()}
# What the list says of a posting, and where it would be looked for without that.
ASSUMPTIONS = {
    "breezy": ("acme", "0a1b2c", "https://acme.breezy.hr/p/0a1b2c-koch"),
    "concludis": (
        "acme", f"7-{7:032x}_0", f"https://acme.concludis.de/prj/shw/{7:032x}_0/7/Koch.htm",
    ),
    "icims": ("careers-acme", "7", "https://careers-acme.icims.com/jobs/7/koch/job"),
    "join": ("acme", "15", "https://join.com/companies/acme/15-koch"),
    "rexx": ("acme", "7", "https://acme-portal.rexx-systems.com/Koch-mwd-de-j7.html"),
    "softgarden": ("io:acme", "7", "https://acme.softgarden.io/job/7/Koch"),
    "successfactors": ("jobs.acme.de", "1234567", "https://jobs.acme.de/job/Ulm-Koch/1234567/"),
    "successfactors_csb": ("acme", "7-de_DE", "https://acme.jobs.hr.cloud.sap/job/Koch/7-de_DE"),
    "umantis": ("2824", "7-1", "https://recruitingapp-2824.umantis.com/Vacancies/7/Description/1"),
    "workday": ("acme.wd3/site", "JR1", "https://acme.wd3.myworkdayjobs.com/site/job/Ulm/Koch_JR1"),
}  # fmt: skip


def asked(name: str, tenant: str, external_id: str, url: str) -> Request:
    return DETAILS[name].detail_request(tenant, external_id, url)


@pytest.mark.parametrize("name", DETAILS)
def test_no_other_host_is_ever_asked(name: str) -> None:
    tenant, external_id = KNOWN[name]["tenant"], KNOWN[name]["detail_of"]
    plain = asked(name, tenant, external_id, "")
    own = urlsplit(plain.url).netloc
    for strange in (
        "https://evil.example/job/7", f"https://{own}.evil.example/7", f"https://{own}@evil.example/7", "javascript:1",
        f"https://{own}:8443/7", f"https://me@{own}/7", f"http://{own}/7", f"//{own}/7", "https://[", "\x00", "/7",
    ):  # fmt: skip
        assert asked(name, tenant, external_id, strange) == plain


@pytest.mark.parametrize(("name", "posting"), ASSUMPTIONS.items(), ids=ASSUMPTIONS)
def test_only_an_address_that_the_list_gave_can_say_that_a_posting_is_gone(
    name: str, posting: tuple[str, str, str]
) -> None:
    tenant, external_id, url = posting
    listed, constructed = asked(name, tenant, external_id, url), asked(name, tenant, external_id, "")
    assert not listed.assumed
    assert constructed.assumed
    if name != "workday":  # whose API gives the text, by the path that the address names
        assert listed.url == url == asked(name, tenant, external_id, f"{url}#apply").url
    if name not in ("umantis", "workday"):  # whose ids hold all that their addresses do
        assert asked(name, tenant, external_id, constructed.url).assumed, "stored, because the list gave none"


def test_what_is_asked_by_id_elsewhere_is_documented_or_what_the_systems_own_pages_ask() -> None:
    by_id = {name for name in DETAILS if not asked(name, KNOWN[name]["tenant"], KNOWN[name]["detail_of"], "").assumed}
    documented = {"bundesagentur", "oracle_orc", "rippling", "smartrecruiters"}
    assert {
        name for name in by_id if asked(name, KNOWN[name]["tenant"], KNOWN[name]["detail_of"], "").documented_api
    } == (documented)
    assert by_id - documented == {"bamboohr", "bite", "eightfold", "jobvite", "refline"}
    assert source("onlyfy").name not in by_id
