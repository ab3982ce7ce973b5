"""Pay: as stated by the payload, else as the description words it; and what it comes to in a year."""

from __future__ import annotations

from daemons.enrich.contract import MAX_EVIDENCE_CHARS, Facts, Finding, Provenance, Scalar, Span
from lib.posting.contract import Period
from lib.text.gazetteer import HOME_COUNTRIES, load_gazetteer
from lib.text.money import SalarySpan, find_salaries, usual_period
from lib.text.places import resolve
from lib.text.rates import YearlyPay, yearly

_STATED_FIELDS = ("salary_min", "salary_max", "salary_currency", "salary_period")
_YEARLY_FIELDS = ("salary_year_min_eur", "salary_year_max_eur", "salary_year_min_chf", "salary_year_max_chf")
_CURRENCIES = {"DE": "EUR", "AT": "EUR", "LI": "CHF", "CH": "CHF"}
_HOME_CURRENCIES = frozenset(_CURRENCIES.values())


class SalaryEnricher:
    """Reads pay. The payload's own fields win over the title, the title over the description."""

    name = "salary"
    version = 2
    fields: tuple[str, ...] = _STATED_FIELDS + _YEARLY_FIELDS

    def enrich(self, posting: Facts) -> Finding:
        """The finding for one posting; nothing at all when no pay is stated or what is stated is absurd."""
        country = _country(posting)
        return self._stated(posting, country) or self._worded(posting, country) or self._nothing()

    def _nothing(self) -> Finding:
        return Finding(values=dict.fromkeys(self.fields), provenance={})

    def _stated(self, posting: Facts, country: str | None) -> Finding | None:
        salary = posting.salary
        if salary is None:
            return None
        low, high = _positive(salary.min), _positive(salary.max)
        currency = (salary.currency or _CURRENCIES.get(country or "") or "").strip().upper()
        period = salary.period or usual_period(max(low or 0.0, high or 0.0), currency)
        if not currency or period is None:
            return None
        pay = yearly(low, high, currency=currency, period=period, country=country)
        if pay is None:
            return None
        evidence = f"{salary.min} - {salary.max} {salary.currency} {salary.period}"
        proof = Provenance(kind="stated", enricher=self.name, version=self.version, evidence=evidence)
        finding = self._finding(low, high, currency, period, pay, proof)
        guessed = Provenance(kind="derived", enricher=self.name, version=self.version, evidence=evidence)
        for name, said in (("salary_currency", salary.currency), ("salary_period", salary.period)):
            if not said:
                finding.provenance[name] = guessed
        return finding

    def _worded(self, posting: Facts, country: str | None) -> Finding | None:
        home = _CURRENCIES.get(country or "")
        for words, in_text in ((posting.title, False), (posting.text or "", True)):
            # A text that lists the pay of several countries: the posting's own currency first.
            for span in sorted(find_salaries(words), key=lambda span: span.currency not in (None, home)):
                currency = span.currency or home
                if currency is None or (country in HOME_COUNTRIES and currency not in _HOME_CURRENCIES):
                    continue  # an advert for several countries, without the pay of this one
                pay = yearly(
                    span.min,
                    span.max,
                    currency=currency,
                    period=span.period,
                    country=country,
                    payments=span.payments,
                )
                if pay is not None:
                    proof = self._proof(words, span, in_text=in_text)
                    return self._finding(span.min, span.max, currency, span.period, pay, proof)
        return None

    def _proof(self, words: str, span: SalarySpan, *, in_text: bool) -> Provenance:
        place: Span | None = (span.start, span.end) if in_text else None
        evidence = words[span.start : span.end][:MAX_EVIDENCE_CHARS]
        return Provenance(kind="derived", enricher=self.name, version=self.version, span=place, evidence=evidence)

    def _finding(
        self, low: float | None, high: float | None, currency: str, period: Period, pay: YearlyPay, proof: Provenance
    ) -> Finding:
        if low is not None and high is not None and low > high:
            low, high = high, low
        values: dict[str, Scalar] = {
            "salary_min": low,
            "salary_max": high,
            "salary_currency": currency,
            "salary_period": period,
            "salary_year_min_eur": pay.min_eur,
            "salary_year_max_eur": pay.max_eur,
            "salary_year_min_chf": pay.min_chf,
            "salary_year_max_chf": pay.max_chf,
        }
        converted = Provenance(
            kind="derived", enricher=self.name, version=self.version, span=proof.span, evidence=proof.evidence
        )
        provenance = {name: proof for name in _STATED_FIELDS if values[name] is not None}
        provenance |= {name: converted for name in _YEARLY_FIELDS if values[name] is not None}
        return Finding(values=values, provenance=provenance)


def _country(posting: Facts) -> str | None:
    """Where the work is: it decides the usual currency, and how many monthly salaries make a year."""
    match = resolve(load_gazetteer(), posting.places, posting.country)
    return None if match is None else match.country


def _positive(side: float | None) -> float | None:
    """The side, None for what boards write when they mean nothing: zero."""
    return side or None
