"""The place of work: city, region, country and coordinates."""

from __future__ import annotations

from daemons.enrich.contract import MAX_EVIDENCE_CHARS, Facts, Finding, Provenance, Scalar
from lib.text.gazetteer import load_gazetteer
from lib.text.places import resolve


class PlaceEnricher:
    """Resolves the place fields. A country that the payload states is `stated`, all else is `derived`."""

    name = "place"
    version = 2
    fields: tuple[str, ...] = ("city", "region", "country_code", "lat", "lon")

    def enrich(self, posting: Facts) -> Finding:
        """The finding for one posting, from its place fields alone; the description names too many other places."""
        match = resolve(load_gazetteer(), posting.places, posting.country)
        if match is None:
            return Finding(values=dict.fromkeys(self.fields), provenance={})
        values: dict[str, Scalar] = {
            "city": match.city,
            "region": match.region,
            "country_code": match.country,
            "lat": match.lat,
            "lon": match.lon,
        }
        evidence = match.text[:MAX_EVIDENCE_CHARS] if match.text else None
        derived = Provenance(kind="derived", enricher=self.name, version=self.version, evidence=evidence)
        provenance = {name: derived for name in self.fields if values[name] is not None}
        if match.country == posting.country:
            provenance["country_code"] = Provenance(
                kind="stated", enricher=self.name, version=self.version, evidence=posting.country
            )
        return Finding(values=values, provenance=provenance)
