"""A company's own site as a board: its tenant, its addresses, and which of them are jobs by the look of them. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit

from lib.posting.links import web_url

SOURCE = "careers"
EVERY_S = 86_400
MAX_ADDRESS_BYTES = 1_500  # an address is indexed

_HOST = re.compile(r"(?=.{4,120}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_PREFIX = re.compile(r"(/[\w.~%+-]{1,80}){0,4}", re.ASCII)
_NUMBER = re.compile(r"\d+")
_TRACKING = re.compile(
    r"utm_\w+|mtm_\w+|pk_\w+|gclid|fbclid|msclkid|_gl|_ga|ref|referrer|source|src|phpsessid|jsessionid|sid|"
    r"session_?id|share|print|cHash",
    re.IGNORECASE,
)
# ";jsessionid=1A2B" of Java servers, "/(S(1a2b))" of ASP.NET
_SESSION_PATH = re.compile(
    r";(?:jsessionid|phpsessid|sid)=[^/?]*|/\((?:[A-Z]\([\w-]{1,60}\)){1,4}\)(?=/|$)", re.IGNORECASE
)
_FILE = re.compile(
    r"\.(?:jpe?g|png|gif|svg|webp|ico|css|m?js|json|xml|rss|atom|zip|gz|mp[34]|webm|ics|vcf|woff2?|docx?|xlsx?|pptx?)$",
    re.IGNORECASE,
)
_JOB_PATH = re.compile(
    r"job|stelle|karriere|career|vacanc|vakanz|position|ausschreibung|anzeige|ausbildung|lehrstelle|praktik|"
    r"werkstudent|traineeprogram|opening|opportunit|recruit|bewerb|arbeiten-(?:bei|mit|in)|mitarbeiter-(?:gesucht|werden)",
    re.IGNORECASE,
)
# Whole segments where the word may be a job's, too: "legal-counsel", "datenschutzbeauftragter".
_NO_JOB_PATH = re.compile(
    r"/(?:datenschutz(?:erkl\w*|hinweise?|informationen|bestimmungen|-bewerb\w*)?|(?:data-)?privacy(?:-\w+)?|impressum|imprint|"
    r"legal(?:-(?:notice|information|notes))?|newsletter|sitemap|register|registrierung|log-?(?:in|out)|sign-?in|"
    r"cookies?(?:-\w+)?|search|suche|apply|bewerben|agb|terms(?:-\w+){0,3})(?=[/?.]|$)|"
    r"warenkorb|/cart|checkout|/feed|/tag/|/author/|wp-(?:admin|json|content|includes)|job-?alert|"
    r"bewerbungsformular|onlinebewerbung|[?&](?:s|q|search|suche)=",
    re.IGNORECASE,
)
_NEXT_PAGE = re.compile(
    r"(?:^|[?&/])(?:page|seite|p|pg|paged|start|offset|tx_\w*page\w*)[=/-]?\d{1,4}(?:$|[&/?#.])", re.I
)


@dataclass(frozen=True)
class Site:
    """A host and, optionally, the path that the careers page lies under ("" or "/karriere")."""

    host: str
    prefix: str = ""

    @classmethod
    def of(cls, address: str) -> Site | None:
        """The site that an address or a tenant names, None when it is no public web address."""
        parts = _split(address if "://" in address else f"https://{address}")
        host = ((parts.hostname or "") if parts else "").lower().removesuffix(".")
        if parts is None or not _HOST.fullmatch(host) or _NUMBER.fullmatch(host.rpartition(".")[2]):
            return None
        prefix = parts.path.rstrip("/")
        return cls(host, prefix) if _PREFIX.fullmatch(prefix) and ".." not in prefix else None

    @property
    def tenant(self) -> str:
        """What the board's row calls it: "www.acme.de/karriere"."""
        return f"{self.host}{self.prefix}"

    @property
    def start(self) -> str:
        """The careers page."""
        return f"https://{self.host}{self.prefix or '/'}"

    def has(self, url: str) -> bool:
        """Whether `url` is on this site: its host, with or without www, or a host below it."""
        host = _bare((urlsplit(url).hostname or "").lower())
        own = _bare(self.host)
        return host == own or host.endswith(f".{own}")

    def may_list(self, url: str) -> bool:
        """Whether an address in a sitemap is worth a visit: it looks like a job's, and where the site is a part of a
        larger one (a path of two segments or more), it lies in that part."""
        within = self.prefix.count("/") < 2 or urlsplit(url).path.startswith(f"{self.prefix}/")
        return self.has(url) and within and hints_at_job(url)


def address(href: str, base: str) -> str | None:
    """The canonical form of a link: absolute, host in lower case, without fragment, session and campaign parameters.

    None for what is no page of the web (`mailto:`, `javascript:`, an image).
    """
    try:
        joined = urljoin(base, href.strip())
    except ValueError:
        return None
    parts = _split(joined) if web_url(joined.partition("#")[0]) else None
    if parts is None or parts.hostname is None or _FILE.search(parts.path):
        return None
    port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    query = urlencode([pair for pair in _pairs(parts.query) if not _TRACKING.fullmatch(pair[0])])
    path = _SESSION_PATH.sub("", parts.path) or "/"
    url = f"{parts.scheme}://{parts.hostname.lower()}{port}{path}{'?' + query if query else ''}"
    return url if len(url.encode(errors="replace")) <= MAX_ADDRESS_BYTES else None


def external_id(url: str, part: str = "") -> str:
    """The id of the posting at a canonical address: the same with http or https, with or without www or a last slash.

    `part` tells several postings of one page apart.
    """
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    plain = f"{_bare(parts.netloc.lower())}{parts.path.rstrip('/')}{query}"
    return hashlib.blake2b(f"{plain}#{part}".encode(), digest_size=16).hexdigest()


def is_document(url: str) -> bool:
    """Whether the address is that of a PDF file."""
    return urlsplit(url).path.lower().endswith(".pdf")


def hints_at_job(url: str) -> bool:
    """Whether the address looks like that of a job, a list of jobs or a careers page."""
    parts = urlsplit(url)
    where = f"{parts.path}?{parts.query}"
    return bool(_JOB_PATH.search(where)) and not _NO_JOB_PATH.search(where)


def is_aside(url: str) -> bool:
    """Whether the address is one of those that never hold a job: imprint, login, application form."""
    parts = urlsplit(url)
    return bool(_NO_JOB_PATH.search(f"{parts.path}?{parts.query}"))


def is_further_page(url: str, of: str) -> bool:
    """Whether `url` is another page of the list at `of`: the same path with a page number, or one below it."""
    here, there = urlsplit(url), urlsplit(of)
    if here.netloc != there.netloc or not _NEXT_PAGE.search(f"{here.path}?{here.query}"):
        return False
    root = _NEXT_PAGE.sub("/", there.path).rstrip("/")
    return here.path.rstrip("/") == there.path.rstrip("/") or here.path.startswith(f"{root}/")


def _bare(host: str) -> str:
    return host.removeprefix("www.")


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text.strip())
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") else None


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=50)
    except ValueError:
        return []
