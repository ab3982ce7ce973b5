"""What people work as in the simulated market: facts here, words per language in `words/occupations.*.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

WORDS = Path(__file__).with_name("words")


@dataclass(frozen=True)
class Occupation:
    """`pay`: usual gross pay per year in EUR, Germany. `desk`: can be done from home. `levels`: titles have Senior."""

    name: str
    sectors: frozenset[str]
    pay: tuple[int, int]
    desk: bool = False
    levels: bool = False


def _occupation(name: str, sectors: str, low: int, high: int, traits: str = "") -> Occupation:
    return Occupation(name, frozenset(sectors.split()), (low, high), "desk" in traits, "levels" in traits)


OCCUPATIONS: tuple[Occupation, ...] = (
    _occupation("nurse", "care", 38_000, 54_000),
    _occupation("physician", "care", 65_000, 118_000),
    _occupation("physiotherapist", "care", 34_000, 46_000),
    _occupation("medical_assistant", "care", 31_000, 42_000),
    _occupation("educator", "education care", 36_000, 50_000),
    _occupation("teacher", "education", 45_000, 68_000),
    _occupation("fitter", "industry building", 35_000, 50_000),
    _occupation("electrician", "industry building", 36_000, 54_000),
    _occupation("mechatronics", "industry logistics", 38_000, 56_000),
    _occupation("mechanical_engineer", "industry", 55_000, 82_000, "desk levels"),
    _occupation("chemist", "industry", 52_000, 86_000, "levels"),
    _occupation("plumber", "building", 34_000, 50_000),
    _occupation("construction_manager", "building", 55_000, 85_000),
    _occupation("warehouse", "logistics trade industry", 28_000, 38_000),
    _occupation("truck_driver", "logistics trade", 32_000, 44_000),
    _occupation("cook", "hospitality care", 29_000, 41_000),
    _occupation("receptionist", "hospitality", 27_000, 37_000),
    _occupation("retail", "trade", 27_000, 38_000),
    _occupation("customer_service", "trade software logistics", 30_000, 42_000, "desk"),
    _occupation("sales", "trade software industry", 45_000, 90_000, "desk levels"),
    _occupation("marketing", "trade software hospitality", 42_000, 68_000, "desk levels"),
    _occupation("hr", "software industry care trade", 42_000, 70_000, "desk levels"),
    _occupation("accountant", "software industry trade building", 40_000, 66_000, "desk levels"),
    _occupation("lawyer", "software industry", 62_000, 110_000, "desk levels"),
    _occupation("project_manager", "software industry building", 55_000, 88_000, "desk levels"),
    _occupation("data_analyst", "software trade", 48_000, 78_000, "desk levels"),
    _occupation("software_engineer", "software industry", 52_000, 95_000, "desk levels"),
    _occupation("sysadmin", "software education logistics", 42_000, 66_000, "desk levels"),
)

SECTORS: tuple[str, ...] = tuple(sorted({sector for item in OCCUPATIONS for sector in item.sectors}))


@cache
def by_sector(sector: str) -> tuple[Occupation, ...]:
    """The occupations that companies of `sector` hire for."""
    return tuple(item for item in OCCUPATIONS if sector in item.sectors)


@cache
def words(language: str) -> dict[str, Any]:
    """Occupation name -> {department, titles, tasks, skills} in `language` (de or en)."""
    return tomllib.loads((WORDS / f"occupations.{language}.toml").read_text(encoding="utf-8"))


@cache
def phrases(language: str) -> dict[str, Any]:
    """Sentences for every occupation in `language`, with {slots} to fill."""
    return tomllib.loads((WORDS / f"phrases.{language}.toml").read_text(encoding="utf-8"))
