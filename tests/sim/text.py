"""The words of a posting: titles and sections, put together from many alternatives."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from html.entities import codepoint2name
from random import Random
from typing import TYPE_CHECKING, Any

from tests.sim.companies import person
from tests.sim.occupations import phrases, words
from tests.sim.pay import pay_sentence
from tests.sim.places import COUNTRY_NAMES, City, phone, street

if TYPE_CHECKING:
    from tests.sim.posting import Posting

LEAST_WORDS = 205


@dataclass(frozen=True)
class Section:
    """A part of a text. `kind`: intro, about, tasks, profile, benefits or contact."""

    kind: str
    heading: str
    paragraphs: tuple[str, ...] = ()
    bullets: tuple[str, ...] = ()

    def plain(self) -> str:
        """Without markup, one line per item."""
        return "\n".join((*((self.heading,) if self.heading else ()), *self.paragraphs, *self.bullets))

    def word_count(self) -> int:
        """How many words it has."""
        return len(self.plain().split())


def make_title(
    name: str, language: str, employment: str, city: City, company: str, rng: Random, *, levels: bool
) -> str:
    """A title as an employer would write it for the occupation `name`."""
    known, said = words(language)[name], phrases(language)
    place = city.english if language == "en" else city.name
    title = rng.choice(known["titles"])
    if employment == "internship":
        title = rng.choice(said["internship_titles"]).format(title=title, department=known["department"])
    elif levels and rng.random() < 0.35:
        title = rng.choice(said["levels"]).format(title=title)
    extra = rng.choice(said["extras"]).format(place=place, department=known["department"], company=company)
    return f"{title}{rng.choice(said['genders'])}{extra}"


def compose(posting: Posting, language: str, rng: Random, edit: Random) -> tuple[Section, ...]:
    """The sections of `posting` in `language`, 200 to 900 words. `edit` draws what an editor changes later."""
    known, said = words(language)[posting.occupation.name], phrases(language)
    slots = _slots(posting, language, known["department"], rng)

    def some(lines: list[str], count: int, dice: Random = rng) -> list[str]:
        return [line.format_map(slots) for line in dice.sample(lines, min(count, len(lines)))]

    headings = {kind: rng.choice(options).format_map(slots) for kind, options in said["headings"].items()}
    tasks = some(known["tasks"], rng.randint(4, 7)) + some(said["tasks"], rng.randint(0, 3))
    profile = some(known["skills"], rng.randint(3, 6)) + some(said["skills"], rng.randint(1, 4))
    profile += some(said["languages"], 1 if rng.random() < 0.7 else 0)
    benefits = some(said["benefits"], rng.randint(4, 9), edit)
    if rng.random() < 0.15:
        benefits += some(said["money_traps"], 1)
    if posting.employment == "temporary":
        benefits = [line for line in benefits if "nbefristet" not in line and "permanent" not in line]
    terms = _terms(posting, language, said, slots, rng)
    sections = [
        Section("intro", "", tuple(some(said["intro"], 1))),
        Section("about", headings["about"], tuple(some(said["about"], 1))),
        Section("tasks", headings["tasks"], _days(known, said, slots, rng), tuple(tasks)),
        Section("profile", headings["profile"], (), tuple(profile)),
        Section("benefits", headings["benefits"], tuple(terms), tuple(benefits)),
        Section("contact", headings["contact"], tuple(some(said["process"], 1))),
    ]
    return _fill(sections, some(said["more"], len(said["more"]), edit), int(rng.triangular(LEAST_WORDS, 880, 290)))


def _fill(sections: list[Section], more: list[str], target: int) -> tuple[Section, ...]:
    """Adds paragraphs from `more` to the sections about and contact until there are `target` words."""
    count = sum(section.word_count() for section in sections)
    about: list[str] = []
    closing: list[str] = []
    for number, paragraph in enumerate(more):
        if count >= target:
            break
        (closing if number % 3 == 2 else about).append(paragraph)
        count += len(paragraph.split())
    added = {"about": about, "contact": closing}
    return tuple(
        Section(part.kind, part.heading, (*part.paragraphs, *added.get(part.kind, ())), part.bullets)
        for part in sections
    )


def _days(known: dict[str, Any], said: dict[str, Any], slots: dict[str, str], rng: Random) -> tuple[str, ...]:
    """None to two paragraphs that tell of the work, made of this occupation's words."""
    paragraphs = []
    for line in rng.sample(said["day"], rng.choice((0, 1, 1, 2))):
        first, second = rng.sample(known["tasks"], 2)
        paragraphs.append(
            line.format_map({**slots, "task1": first, "task2": second, "skill": rng.choice(known["skills"])})
        )
    return tuple(paragraphs)


def _terms(posting: Posting, language: str, said: dict[str, Any], slots: dict[str, str], rng: Random) -> list[str]:
    terms = [rng.choice(said["employment"][posting.employment]).format_map(slots)]
    if posting.remote is not None:
        terms.append(rng.choice(said["remote"][posting.remote]).format_map(slots))
    if posting.pay is not None:
        terms.append(pay_sentence(posting.pay, posting.city.country, language, rng))
    rng.shuffle(terms)
    return terms


def _slots(posting: Posting, language: str, department: str, rng: Random) -> dict[str, str]:
    company, city = posting.company, posting.city
    place = city.english if language == "en" else city.name
    return {
        "company": company.name,
        "title": posting.title,
        "department": department,
        "place": f"{city.postal} {place}" if rng.random() < 0.15 else place,
        "land": COUNTRY_NAMES[city.country][language],
        "seat": company.seat.english if language == "en" else company.seat.name,
        "address": f"{street(city, rng)}, {city.postal} {city.name}",
        "founded": str(company.founded),
        "staff": str(company.staff),
        "product": company.product(language, rng),
        "nations": str(rng.randint(6, 40)),
        "team": str(rng.randint(3, 28)),
        "weeks": rng.choice(("2", "3", "4")),
        "training": str(rng.randint(3, 10)),
        "years": rng.choice(("2", "3", "5")),
        "holidays": str(rng.randint(26, 32)),
        "bonus": rng.choice(("500", "750", "800")),
        "reference": f"{company.words[0][:3].upper()}-{rng.randint(1000, 9999)}",
        "contact": person(rng),
        "mail": rng.choice(("jobs", "karriere", "bewerbung", "personal")) + "@" + company.domain,
        "phone": phone(city, rng),
        "hours": rng.choice(("38,5", "39", "40") if language == "de" else ("38.5", "39", "40")),
        "part_hours": rng.choice(("20", "25", "30")),
        "months": rng.choice(("3", "6") if posting.employment == "internship" else ("12", "18", "24")),
        "home": rng.choice(("2", "3", "4")),
        "level": rng.choice(("B1", "B2", "C1")),
    }


_ENTITIES = str.maketrans({letter: f"&{codepoint2name[ord(letter)]};" for letter in "äöüßÄÖÜ"})


def markup(section: Section, style: int, *, heading: bool = True) -> str:
    """`section` as HTML in one of five hands: clean, div and br, typed bullets, inline styles, named entities."""
    head = escape(section.heading) if heading else ""
    lines = [escape(line) for line in section.paragraphs]
    bullets = [escape(line) for line in section.bullets]
    if style == 1:
        top = f"<div><strong>{head}</strong></div>" if head else ""
        body = "".join(f"<div>{line}</div><div><br></div>" for line in lines)
        return top + body + _list(bullets)
    if style == 2:
        top = f"<p><b>{head}:</b><br>" if head else "<p>"
        return top + "<br>".join((*lines, *(f"• {line}" for line in bullets))) + "</p>"
    if style == 3:
        top = f'<h2 style="min-height:1.5em"><span style="font-size: 14pt">{head}</span></h2>' if head else ""
        body = "".join(f'<p><span style="font-size: 10.5pt;">{line}</span></p>' for line in lines)
        return top + body + _list(bullets, ' class="list"')
    top = f"<h3>{head}</h3>" if head else ""
    html = top + "".join(f"<p>{line}</p>" for line in lines) + _list(bullets)
    return html.translate(_ENTITIES).replace(" - ", "&nbsp;- ") if style == 4 else html


def _list(bullets: list[str], attributes: str = "") -> str:
    return f"<ul{attributes}>" + "".join(f"<li>{line}</li>" for line in bullets) + "</ul>" if bullets else ""
