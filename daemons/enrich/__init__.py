"""What a posting's words say: text and language, place, pay, employment. One pure file per enricher."""

from __future__ import annotations

from daemons.enrich.contract import Enricher
from daemons.enrich.employment import EmploymentEnricher
from daemons.enrich.place import PlaceEnricher
from daemons.enrich.salary import SalaryEnricher
from daemons.enrich.text import TextEnricher

ENRICHERS: tuple[Enricher, ...] = (TextEnricher(), PlaceEnricher(), SalaryEnricher(), EmploymentEnricher())
