"""One simulated posting: its facts (the truth), and its text on demand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from random import Random
from typing import Any, Literal

from tests.sim.companies import Company
from tests.sim.occupations import Occupation, by_sector, words
from tests.sim.pay import Pay, draw_pay, raised
from tests.sim.places import City, some_city, street
from tests.sim.text import Section, compose, make_title

Language = Literal["de", "en"]
Edit = Literal["salary", "text"]
Remote = Literal["remote", "hybrid", "onsite"]

_FIRST_NUMBER = 1_000_000
_STEP = 7
_UUID_MASK = 0x5DEE_CE66_D5A1
_EMPLOYMENT = ("full_time", "part_time", "temporary", "internship")
_REMOTE: tuple[Remote | None, ...] = ("remote", "hybrid", "onsite", None)


@dataclass(frozen=True)
class Posting:
    """The facts of one posting at one revision.

    `number`: unique in the market, seven digits or more; systems make their ids of it. `remote`: remote, hybrid,
    onsite, or None where nothing says it. `employment`: full_time, part_time, temporary or internship.
    `structured`: the board also fills its own pay fields. `translated`: exists in the other language too.
    """

    seed: int
    key: int
    edits: tuple[Edit, ...]
    company: Company
    occupation: Occupation
    language: Language
    title: str
    cities: tuple[City, ...]
    address: str
    remote: Remote | None
    employment: str
    pay: Pay | None
    structured: bool
    translated: bool
    published: datetime

    @property
    def city(self) -> City:
        """The main place."""
        return self.cities[0]

    @property
    def number(self) -> int:
        """Unique in the market."""
        return number_of(self.key)

    @property
    def uuid(self) -> str:
        """Unique in the market, as version 4 UUIDs look."""
        return uuid_of(self.seed, self.key)

    @property
    def department(self) -> str:
        """The department's name in the posting's language."""
        return str(words(self.language)[self.occupation.name]["department"])

    def sections(self, language: Language | None = None) -> tuple[Section, ...]:
        """The text, in the posting's own language unless told otherwise."""
        base = self.seed * 1_000_003 + self.key
        texts = sum(edit == "text" for edit in self.edits)
        return compose(self, language or self.language, Random(base * 64 + 1), Random(base * 64 + 2 + texts))

    def truth(self) -> dict[str, Any]:
        """What enrichers should find out: occupation, country, city, language, salary, remote, employment."""
        return {
            "occupation": self.occupation.name,
            "country": self.city.country,
            "city": self.city.name,
            "cities": [city.name for city in self.cities],
            "language": self.language,
            "salary": self.pay.truth() if self.pay else None,
            "remote": self.remote,
            "employment": self.employment,
        }


def number_of(key: int) -> int:
    """The number of the posting with index `key`."""
    return _FIRST_NUMBER + key * _STEP


def key_of(number: int) -> int | None:
    """The index behind a number, None where no posting has it."""
    key, rest = divmod(number - _FIRST_NUMBER, _STEP)
    return key if key >= 0 and rest == 0 else None


def uuid_of(seed: int, key: int) -> str:
    """The UUID of the posting with index `key`; the last twelve digits hold its number."""
    digest = blake2b(f"{seed}:{key}".encode(), digest_size=8).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[12:15]}-a{digest[13:16]}-{number_of(key) ^ _UUID_MASK:012x}"


def key_of_uuid(seed: int, uuid: str) -> int | None:
    """The index behind a UUID, None where no posting has it."""
    try:
        key = key_of(int(uuid[-12:], 16) ^ _UUID_MASK)
    except ValueError:
        return None
    return key if key is not None and uuid_of(seed, key) == uuid else None


def draw_posting(
    seed: int, key: int, company: Company, language: Language, opened: date, edits: tuple[Edit, ...]
) -> Posting:
    """The posting with index `key`, always the same for the same arguments."""
    base = seed * 1_000_003 + key
    rng = Random(base * 64)
    occupation = rng.choice(by_sector(company.sector))
    country = company.country if rng.random() < 0.9 else rng.choice(("DE", "AT", "CH"))
    city = company.seat if country == company.country and rng.random() < 0.5 else some_city(country, rng)
    cities: tuple[City, ...] = (city,)
    if rng.random() < 0.1:
        cities = tuple(dict.fromkeys((city, *(some_city(country, rng) for _ in range(rng.randint(1, 3))))))
    employment = rng.choices(_EMPLOYMENT, (68, 16, 10, 6))[0]
    remote = rng.choices(_REMOTE, (18, 34, 6, 42) if occupation.desk else (0, 0, 12, 88))[0]
    title = make_title(occupation.name, language, employment, city, company.name, rng, levels=occupation.levels)
    raises = sum(edit == "salary" for edit in edits)
    pay = draw_pay(occupation, city.country, employment, Random(base * 64 + 63), certain=raises > 0)
    published = datetime(opened.year, opened.month, opened.day, tzinfo=UTC)
    return Posting(
        seed=seed,
        key=key,
        edits=edits,
        company=company,
        occupation=occupation,
        language=language,
        title=title,
        cities=cities,
        address=street(city, rng),
        remote=remote,
        employment=employment,
        pay=raised(pay, raises) if pay else None,
        structured=rng.random() < 0.6,
        translated=rng.random() < 0.25,
        published=published + timedelta(milliseconds=rng.randrange(6 * 3_600_000, 18 * 3_600_000)),
    )
