"""A posting as the JSON-LD that pages carry."""

from __future__ import annotations

from typing import Any

import orjson

from tests.sim.posting import Posting
from tests.sim.text import markup


def job_posting(posting: Posting, url: str) -> dict[str, Any]:
    """The JobPosting node of a posting's page."""
    places = [
        {
            "@type": "Place",
            "address": {
                "@type": "PostalAddress",
                "addressLocality": city.english if posting.language == "en" else city.name,
                "postalCode": city.postal,
                "addressCountry": city.country,
            },
        }
        for city in posting.cities
    ]
    return {
        "@context": "http://schema.org",
        "@type": "JobPosting",
        "title": posting.title,
        "description": text_of(posting),
        "datePosted": posting.published.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "employmentType": posting.employment.upper(),
        "hiringOrganization": {"@type": "Organization", "name": posting.company.name},
        "jobLocation": places,
        "url": url,
    }


def text_of(posting: Posting) -> str:
    """The whole text as its company marks it up."""
    return "".join(markup(section, posting.company.style) for section in posting.sections())


def script(node: dict[str, Any]) -> str:
    """The node in the script element that carries it."""
    said = orjson.dumps(node).decode().replace("</", "<\\/")
    return f'<script type="application/ld+json">{said}</script>'
