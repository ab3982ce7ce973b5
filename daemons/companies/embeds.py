"""What systems look like inside other people's pages, beyond plain addresses: widgets, script settings, asset hosts.

A source's `detect` is the one truth about addresses of its system. So a row here never names a tenant itself: it makes
an address of what a page says, and the source reads that. Source of facts: the systems' own embed instructions and
pages seen in the wild, read 2026-11.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Embed:
    """`pattern`, found in a page's markup, tells the tenant: its groups fill `address`, which `source` reads.

    `beside`: what the markup holds as well when the pattern means this system, in lower case.
    """

    source: str
    pattern: re.Pattern[str]
    address: str
    beside: str


@dataclass(frozen=True)
class Asset:
    """`pattern`, found in a page's markup, tells that `source` serves this page itself, under the company's own name.

    The page's host is then the tenant. Systems whose sources take no hosts as tenants are not here.
    """

    source: str
    pattern: re.Pattern[str]


def _embed(source: str, pattern: str, address: str, beside: str) -> Embed:
    return Embed(source, re.compile(pattern, re.IGNORECASE), address, beside)


def _asset(source: str, pattern: str) -> Asset:
    return Asset(source, re.compile(pattern, re.IGNORECASE))


_IS = r"\\?[\"']?\s{0,9}[:=]\s{0,9}\\?[\"']"  # from a setting's name to its value, in JSON, scripts and attributes
_NAME = r"([A-Za-z0-9_.-]{1,100})\\?[\"']"
_LOADED = r"<(?:script|link)\b[^<>]{0,300}\b(?:src|href)=[\"']?[^\"'\s<>]{0,200}"  # a page's own script or style sheet
_ORACLE_API = rf"\bapi-?base-?url{_IS}https:\\?/\\?/([a-z0-9.-]{{4,200}}+)"
_ORACLE_SITE = rf"\bsite-?number{_IS}([\w-]{{1,100}}+)"

EMBEDS = (
    _embed("bamboohr", rf"data-domain{_IS}([a-z0-9-]{{1,63}})\.bamboohr\.com", "https://{}.bamboohr.com/careers",
           "bamboohr"),
    _embed("greenhouse", r"/embed/job_board(?:/js)?\?(?:[^\"'\s<>]{0,200}&(?:amp;)?)?for=([\w-]{1,100})",
           "https://boards.greenhouse.io/{}", "greenhouse.io"),
    _embed("greenhouse", rf"\b(?:urlToken|boardToken|board_token|data-board-token){_IS}{_NAME}",
           "https://boards.greenhouse.io/{}", "greenhouse"),
    _embed("jobvite", rf"data-careersite{_IS}{_NAME}", "https://jobs.jobvite.com/{}", "jobvite"),
    _embed("lever", rf"leverJobsOptions\b[^;]{{0,300}}?accountName{_IS}{_NAME}", "https://jobs.lever.co/{}", "lever"),
    _embed("oracle_orc", rf"{_ORACLE_API}[^<>]{{0,200}}?{_ORACLE_SITE}", "https://{}/hcmUI/CandidateExperience/de/sites/{}",
           "base"),
    _embed("oracle_orc", rf"{_ORACLE_SITE}[^<>]{{0,200}}?{_ORACLE_API}",
           "https://{1}/hcmUI/CandidateExperience/de/sites/{0}", "base"),
    _embed("smartrecruiters", rf"company_code{_IS}{_NAME}", "https://careers.smartrecruiters.com/{}",
           "smartrecruiters"),
)  # fmt: skip

ASSETS = (
    _asset("breezy", rf"{_LOADED}assets-cdn\.breezy\.hr|class=[\"'][^\"']{{0,80}}\bbreezy-portal\b"),
    _asset("dvinci", r"ng-app=[\"']dvinci\.apps\.Dvinci|<meta[^>]{1,80}dvinciVersion"),
    _asset("eightfold", r"\b_EF_GROUP_ID\b"),
    _asset("recruitee", r"<(?:script|link|meta)\b[^<>]{0,300}//careers\.recruiteecdn\.com/"),
    _asset("rexx", r"\brexxCha\b|class=[\"'][^\"']{0,80}\bjoboffer_container\b"),
    _asset("softgarden", rf"{_LOADED}static\.softgarden\.(?:de|io)|softgarden-career-page"),
    _asset("successfactors", rf"{_LOADED}(?:\brmkcdn\.|\.jobs2web\.com/|/platform/js/j2w/)|\bj2w\.init\("),
    _asset(
        "teamtailor",
        rf"{_LOADED}//assets-[a-z]{{2,8}}\.teamtailor-cdn\.com/|data-controller=[\"'][^\"']{{0,200}}\bcareersite--",
    ),
    _asset("umantis", r"\bglobalUmantisParams\b|\bHSTableLinkSubTitle\b"),
)
