"""Every enricher keeps the contract; each one reads what it should."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemons.enrich import ENRICHERS
from daemons.enrich.contract import MAX_EVIDENCE_CHARS, Enricher, Facts, Finding
from daemons.enrich.employment import EmploymentEnricher
from daemons.enrich.place import PlaceEnricher
from daemons.enrich.salary import SalaryEnricher
from daemons.enrich.text import TextEnricher
from lib.posting.contract import Salary

ANY_TEXT = st.text(alphabet=st.characters(), max_size=120)
ANY_FACTS = st.builds(
    Facts,
    id=st.integers(0, 2**62),
    title=ANY_TEXT,
    company=st.none() | ANY_TEXT,
    html=st.none() | ANY_TEXT,
    text=st.none() | ANY_TEXT,
    places=st.lists(ANY_TEXT, max_size=3).map(tuple),
    country=st.sampled_from([None, "DE", "AT", "CH", "US", "??"]),
    remote=st.sampled_from([None, "remote", "hybrid", "onsite"]),
    employment_type=st.none() | ANY_TEXT,
    language=st.none() | ANY_TEXT,
    salary=st.none()
    | st.builds(
        Salary,
        min=st.none() | st.floats(),
        max=st.none() | st.floats(),
        currency=st.sampled_from([None, "EUR", "chf", "XXX", ""]),
        period=st.sampled_from([None, "year", "month", "hour"]),
    ),
)


def check(enricher: Enricher, finding: Finding, text: str | None) -> None:
    assert tuple(finding.values) == enricher.fields
    for name, proof in finding.provenance.items():
        assert finding.values[name] is not None
        assert (proof.enricher, proof.version) == (enricher.name, enricher.version)
        assert len(proof.evidence or "") <= MAX_EVIDENCE_CHARS
        if proof.span is not None:
            start, end = proof.span
            assert text is not None and 0 <= start < end <= len(text)
            assert text[start:end][:MAX_EVIDENCE_CHARS] == proof.evidence
    assert all(name in finding.provenance for name, value in finding.values.items() if value is not None)
    assert all(not isinstance(value, float) or math.isfinite(value) for value in finding.values.values())


@pytest.mark.parametrize("enricher", ENRICHERS, ids=lambda one: one.name)
@settings(deadline=None)
@given(facts=ANY_FACTS)
def test_any_facts_give_a_finding_of_all_columns(enricher: Enricher, facts: Facts) -> None:
    finding = enricher.enrich(facts)
    check(enricher, finding, facts.text)
    assert enricher.enrich(facts) == finding


@pytest.mark.parametrize("enricher", ENRICHERS, ids=lambda one: one.name)
@pytest.mark.parametrize(
    "piece",
    [
        "2 tage ",
        "remote ",
        "möglichkeit ",
        "arbeit",
        "fixed-term permanent position ",
        "100 % ",
        "vollzeit ",
        "1.000 € ",
        "<div>",
        "a",
        "Berlin, ",
        "\n",
        "İ",
    ],
)
def test_long_facts_end_soon(enricher: Enricher, piece: str) -> None:
    words = piece * (400_000 // len(piece))
    facts = Facts(
        id=1, title=words, html=words, text=words, places=(words,) * 50, employment_type=words, language=words
    )
    started = time.process_time()
    check(enricher, enricher.enrich(facts), words)
    assert time.process_time() - started < 5


def test_columns_belong_to_one_enricher_each() -> None:
    columns = [name for enricher in ENRICHERS for name in enricher.fields]
    assert len(columns) == len(set(columns))


def test_text_cleans_and_prefers_the_stated_language_when_plausible() -> None:
    german = "<p>Wir suchen dich für unser Team und die Küche in Bern.</p><script>x</script>"
    finding = TextEnricher().enrich(Facts(id=1, title="Koch", html=german, language="de-CH"))
    assert finding.values == {
        "description_html": "<p>Wir suchen dich für unser Team und die Küche in Bern.</p>",
        "description_text": "Wir suchen dich für unser Team und die Küche in Bern.",
        "language": "de",
    }
    assert finding.provenance["language"].kind == "stated"
    wrong = TextEnricher().enrich(Facts(id=1, title="Koch", html=german, language="en"))
    assert wrong.values["language"] == "de" and wrong.provenance["language"].kind == "derived"
    begun = TextEnricher().enrich(Facts(id=1, title="Koch", teaser="Wir suchen für unser Team in der Küche eine …"))
    assert (begun.values["language"], begun.values["description_text"]) == ("de", None)
    assert begun.provenance["language"].kind == "derived"
    nothing = TextEnricher().enrich(Facts(id=1, title="Koch"))
    assert set(nothing.values.values()) == {None} and not nothing.provenance


def test_place_says_what_is_stated_and_what_is_derived() -> None:
    finding = PlaceEnricher().enrich(Facts(id=1, title="Koch", places=("Remote", "Wien"), country="AT"))
    assert (finding.values["city"], finding.values["country_code"]) == ("Wien", "AT")
    assert finding.provenance["city"].kind == "derived" and finding.provenance["city"].evidence == "Wien"
    assert finding.provenance["country_code"].kind == "stated"


def test_stated_salary_wins_over_the_text() -> None:
    text = "Das Gehalt liegt bei 40.000 € im Jahr."
    stated = Salary(min=60_000, max=50_000, currency="eur", period="year")
    finding = SalaryEnricher().enrich(Facts(id=1, title="Koch", text=text, salary=stated))
    assert (finding.values["salary_min"], finding.values["salary_max"]) == (50_000, 60_000)
    assert finding.provenance["salary_min"].kind == "stated"
    assert finding.provenance["salary_year_min_chf"].kind == "derived"


def test_absurd_stated_salary_gives_way_to_the_text() -> None:
    text = "Das Gehalt liegt bei 3.000 € im Monat."
    facts = Facts(
        id=1, title="Koch", text=text, country="AT", salary=Salary(min=-5, max=0, currency="EUR", period="year")
    )
    finding = SalaryEnricher().enrich(facts)
    assert finding.values["salary_year_min_eur"] == 42_000
    span = finding.provenance["salary_min"].span
    assert span is not None and text[slice(*span)] == "3.000 €"


def test_the_postings_own_currency_comes_first() -> None:
    text = "US: $150,000 - $180,000 per year. Germany: €68.000—€91.000 per year."
    finding = SalaryEnricher().enrich(Facts(id=1, title="Engineer", text=text, country="DE"))
    assert (finding.values["salary_min"], finding.values["salary_currency"]) == (68_000, "EUR")


@pytest.mark.parametrize(
    ("title", "stated", "text", "employment", "permanent", "remote"),
    [
        ("Werkstudent (m/w/d)", "Part-time", "", "working_student", None, None),
        ("Koch in Voll- oder Teilzeit", None, "", "full_or_part_time", None, None),
        ("Engineer", "permanent, full-time", "", "full_time", True, None),
        ("Engineer", "full-or-part-time", "", "full_or_part_time", None, None),
        ("Engineer", "FullTime", "", "full_time", None, None),
        ("Engineer", "Contract", "", "temporary", None, None),
        ("Pflegefachfrau 60-100%", None, "", "full_or_part_time", None, None),
        ("Pflegefachfrau 60-80%", None, "", "part_time", None, None),
        ("Ausbildung zum Koch", "full-time", "", "apprenticeship", None, None),
        ("Praktikum Marketing", None, "", "internship", None, None),
        ("Aushilfe im Minijob", None, "", "mini_job", None, None),
        ("Freelance Designer", None, "", "freelance", None, None),
        ("Nurse", None, "unbefristete Stelle in Vollzeit, 2 Tage Homeoffice", "full_time", True, "hybrid"),
        ("Nurse", None, "Befristet mit Aussicht auf eine unbefristete Stelle", "temporary", False, None),
        ("Nurse", None, "This is a fixed-term contract for 12 months, full-time", "full_time", False, None),
        ("Nurse", "temporary, full-time", "", "full_time", False, None),
        ("Nurse (Elternzeitvertretung)", None, "", "temporary", False, None),
        ("Nurse", None, "The position is limited to 12 months", "temporary", False, None),
        ("Nurse", None, "to cover a maternity leave", "temporary", False, None),
        ("Nurse", None, "unlimited contract, 18 weeks of parental leave", None, True, None),
        ("Nurse", None, "Wir bieten keine befristeten Verträge", None, None, None),
        ("Nurse", None, "Flexible Zeiten und Möglichkeit zur Teilzeit", "full_or_part_time", None, None),
        ("Nurse", None, "Stock options for all full-time employees", None, None, None),
        ("Nurse", None, "zunächst befristet, danach unbefristet; fully remote", None, None, "remote"),
        ("Nurse", None, "5 years of full-time experience, abgeschlossene Ausbildung", None, None, None),
        ("Developer (Remote)", None, "", None, None, "remote"),
        ("Hybrid Cloud Architect", None, "kein Homeoffice", None, None, "onsite"),
        ("Remote Sensing Scientist", None, "", None, None, None),
    ],
)
def test_employment(
    title: str, stated: str | None, text: str, employment: str | None, permanent: bool | None, remote: str | None
) -> None:
    finding = EmploymentEnricher().enrich(Facts(id=1, title=title, employment_type=stated, text=text))
    assert finding.values == {"employment": employment, "permanent": permanent, "remote": remote}


@pytest.mark.parametrize(
    ("text", "remote"),
    [
        ("We work hybrid: 4 days from home, the others in our office.", "hybrid"),
        ("Wir arbeiten hybrid: 2 Tage von zu Hause", "hybrid"),
        ("2 Tage Homeoffice pro Woche", "hybrid"),
        ("Mobiles Arbeiten an 3 Tagen", "hybrid"),
        ("home office option", "hybrid"),
        ("Folks are in the office 2 days a week.", "hybrid"),
        ("We operate as a hybrid workplace. #LI-Hybrid", "hybrid"),
        ("Flexible Arbeitszeiten, Homeoffice, Obst", "hybrid"),
        ("Zu 100 % remote möglich", "remote"),
        ("This role is fully remote", "remote"),
        ("Deutschlandweit remote", "remote"),
        ("Sie arbeiten vollständig im Homeoffice", "remote"),
        ("Work from anywhere in Germany", "remote"),
        ("We are a remote-first company", "remote"),
        ("Kein Homeoffice möglich", "onsite"),
        ("No remote work", "onsite"),
        ("Remote or hybrid work will not be considered.", "onsite"),
        ("Homeoffice ist bei dieser Aufgabe nicht möglich", "onsite"),
        ("Work from anywhere for one month per year", None),
        ("Up to 4 weeks of fully remote work", None),
        ("Not fully remote", None),
        ("You sell to remote-first startups", None),
        ("Home office stipend, 500 € for your setup", None),
    ],
)
def test_where_the_work_is_done(text: str, remote: str | None) -> None:
    finding = EmploymentEnricher().enrich(Facts(id=1, title="Nurse", text=text))
    assert finding.values["remote"] == remote
    if remote is not None:
        assert finding.provenance["remote"].evidence in text


def test_what_a_payload_leaves_out_of_its_pay_is_derived() -> None:
    stated = Salary(min=80_000, max=99_000)
    finding = SalaryEnricher().enrich(Facts(id=1, title="Koch", places=("Zürich",), salary=stated))
    assert (finding.values["salary_currency"], finding.values["salary_period"]) == ("CHF", "year")
    kinds = {name: proof.kind for name, proof in finding.provenance.items()}
    assert kinds["salary_min"] == "stated" and kinds["salary_currency"] == kinds["salary_period"] == "derived"


def test_the_place_decides_how_many_monthly_salaries_make_a_year() -> None:
    text = "Mindestgehalt laut Kollektivvertrag EUR 3.000 brutto pro Monat, Bereitschaft zur Überzahlung."
    finding = SalaryEnricher().enrich(Facts(id=1, title="Koch", text=text, places=("Graz",)))
    assert (finding.values["salary_year_min_eur"], finding.values["salary_year_max_eur"]) == (42_000, None)


def test_the_pay_of_other_countries_is_not_believed_at_home() -> None:
    text = "The San Francisco base pay range for this role is $208,000 - $312,000."
    abroad = SalaryEnricher().enrich(Facts(id=1, title="Engineer", text=text, places=("San Francisco, CA",)))
    assert abroad.values["salary_min"] == 208_000
    home = SalaryEnricher().enrich(Facts(id=1, title="Engineer", text=text, places=("Berlin, Germany",)))
    assert home.values["salary_min"] is None


def test_stated_remote_wins() -> None:
    finding = EmploymentEnricher().enrich(Facts(id=1, title="Dev (Remote)", remote="hybrid", text="fully remote"))
    assert finding.values["remote"] == "hybrid" and finding.provenance["remote"].kind == "stated"
