"""What the parts of a résumé are called in German and English. All lower case; "&" and "/" stand for "and"."""

from __future__ import annotations

import re
import unicodedata

from lib.people.paper import SectionKind

MAX_CHARS = 60

_NAMES: dict[SectionKind, str] = {
    "experience": (
        "berufserfahrung|berufserfahrungen|berufliche erfahrung|berufliche erfahrungen|praktische erfahrung|"
        "praktische erfahrungen|praxiserfahrung|praxiserfahrungen|arbeitserfahrung|arbeitserfahrungen|"
        "beruflicher werdegang|werdegang|beruflicher hintergrund|berufliche laufbahn|laufbahn|berufspraxis|"
        "berufliche stationen|stationen|berufliche tätigkeit|berufliche tätigkeiten|tätigkeiten|beruf|erfahrung|"
        "erfahrungen|praktika|praktikum|nebenjobs|nebentätigkeit|nebentätigkeiten|arbeitsstellen|"
        "bisherige tätigkeiten|bisherige stationen|relevante erfahrung|relevante erfahrungen|projekterfahrung|"
        "führungserfahrung|berufsweg|anstellungen|experience|experiences|work experience|work experiences|"
        "professional experience|employment|employment history|work history|career|career history|"
        "professional background|relevant experience|career experience|internships|internship|positions held|"
        "professional history|industry experience|job history|practical experience|employment experience|"
        "research experience|teaching experience|leadership experience|other experience|additional experience|"
        "selected experience|clinical experience|professional career"
    ),
    "education": (
        "ausbildung|ausbildungen|bildung|bildungsweg|bildungsgang|schulbildung|schulische ausbildung|"
        "schulische bildung|berufsausbildung|studium|hochschulbildung|akademische ausbildung|"
        "akademischer werdegang|akademische laufbahn|schulischer werdegang|schule|schulabschluss|weiterbildung|"
        "weiterbildungen|fortbildung|fortbildungen|fort- und weiterbildung|fort- und weiterbildungen|"
        "aus- und weiterbildung|aus- und fortbildung|abschlüsse|qualifizierung|qualifizierungen|zertifikate|"
        "zertifizierungen|zertifizierung|lehrgänge|kurse|schulungen|seminare|universitäre ausbildung|promotion|"
        "lehre|akademische bildung|schulausbildung|education|academic background|academic education|"
        "educational background|academic history|education history|qualifications|academic qualifications|"
        "educational qualifications|training|trainings|professional training|further education|"
        "continuing education|certifications|certification|certificates|licenses|licences|courses|coursework|"
        "relevant coursework|professional development|degrees|schooling|university|studies|apprenticeship|"
        "professional qualifications|academic career|certifications and licenses"
    ),
    "skills": (
        "kenntnisse|fähigkeiten|fertigkeiten|kompetenzen|fachkenntnisse|fachkompetenzen|edv-kenntnisse|edv|"
        "it-kenntnisse|it kenntnisse|edv kenntnisse|it-skills|it|computerkenntnisse|softwarekenntnisse|"
        "pc-kenntnisse|technische kenntnisse|technische fähigkeiten|besondere kenntnisse|weitere kenntnisse|"
        "sonstige kenntnisse|zusätzliche kenntnisse|zusatzqualifikationen|qualifikationen|"
        "schlüsselqualifikationen|kernkompetenzen|stärken|persönliche stärken|soft skills|hard skills|tools|"
        "technologien|programmierkenntnisse|programmiersprachen|expertise|besondere fähigkeiten|"
        "methodenkompetenz|soziale kompetenzen|fachliche kompetenzen|führerschein|führerscheine|"
        "weitere qualifikationen|sonstige qualifikationen|kenntnisse und fähigkeiten|skill-profil|"
        "fachliche kenntnisse|skills|skill|technical skills|key skills|core skills|professional skills|it skills|"
        "computer skills|skill set|skillset|competencies|core competencies|key competencies|areas of expertise|"
        "technologies|technical proficiencies|technical expertise|strengths|key strengths|abilities|capabilities|"
        "software|tools and technologies|programming languages|additional skills|other skills|"
        "soft and hard skills|transferable skills|personal skills|technical competencies|proficiencies|"
        "digital skills|driving licence|driving license|technical knowledge"
    ),
    "languages": (
        "sprachen|sprachkenntnisse|fremdsprachen|fremdsprachenkenntnisse|sprachliche kenntnisse|languages|"
        "language|language skills|foreign languages|language proficiency|linguistic skills|spoken languages"
    ),
    "summary": (
        "profil|kurzprofil|persönliches profil|berufliches profil|über mich|zu meiner person|zusammenfassung|"
        "berufsziel|karriereziel|zielsetzung|ziel|kurzvorstellung|steckbrief|kurzbeschreibung|motivation|"
        "qualifikationsprofil|wer ich bin|das bin ich|überblick|summary|profile|professional summary|"
        "professional profile|personal profile|personal statement|about|about me|objective|career objective|"
        "career summary|executive summary|career profile|job objective|summary of qualifications|"
        "qualifications summary|professional objective|who i am|overview|introduction|headline|career highlights"
    ),
    "other": (
        "persönliche daten|persönliche angaben|angaben zur person|zur person|kontakt|kontaktdaten|kontaktangaben|"
        "anschrift|lebenslauf|tabellarischer lebenslauf|interessen|persönliche interessen|hobbys|hobbies|"
        "freizeit|ehrenamt|ehrenämter|ehrenamtliches engagement|ehrenamtliche tätigkeit|"
        "ehrenamtliche tätigkeiten|engagement|gesellschaftliches engagement|soziales engagement|"
        "außerberufliches engagement|projekte|ausgewählte projekte|publikationen|veröffentlichungen|vorträge|"
        "referenzen|auszeichnungen|preise|stipendien|mitgliedschaften|sonstiges|weiteres|verschiedenes|"
        "auslandsaufenthalte|auslandserfahrung|wehrdienst|zivildienst|elternzeit|patente|anlagen|"
        "personal details|personal data|personal information|personal|contact|contact details|"
        "contact information|details|curriculum vitae|resume|résumé|cv|interests|personal interests|volunteering|"
        "volunteer work|volunteer experience|voluntary work|community service|project|projects|personal projects|"
        "selected projects|side projects|key projects|open source|publications|talks|presentations|conferences|"
        "references|awards|honors|honours|achievements|key achievements|accomplishments|scholarships|grants|"
        "memberships|affiliations|professional affiliations|patents|miscellaneous|extracurricular activities|"
        "activities|links|additional information|research|portfolio|awards and honors|leadership"
    ),
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split("|")}
_NUMBER = re.compile(r"^(?:\(?\d{1,2}[.)]|[IVX]{1,4}[.)]|[A-H][.)])\s+")
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_SPACED = re.compile(r"\w(?: \w){3,}(?:  +\w(?: \w)+)*")
_AND = re.compile(r"\s*(?:[&/,+|]|\b(?:und|and|sowie)\b)\s*")
_LABEL = re.compile(r"([^:\n]{3,40}):[ \t]+(?=\S)")
_INLINE = frozenset({"skills", "languages"})


def kind_of_heading(line: str) -> SectionKind | None:
    """The part that a line begins when it is nothing but its heading; None for any other line."""
    if not 2 < len(line) <= MAX_CHARS:
        return None
    name = _plain(line)
    if name in _KINDS:
        return _KINDS[name]
    parts = [part for part in _AND.split(name) if part]
    kinds = [_KINDS.get(part) or _KINDS.get(f"{part}kenntnisse") for part in parts]
    if 2 <= len(parts) <= 4 and None not in kinds:
        return next((kind for kind in kinds if kind != "other"), "other")
    return None


def kind_of_label(line: str) -> tuple[SectionKind, str] | None:
    """The part that a line begins which goes on behind its heading ("Sprachen: Deutsch, Englisch"), and the heading."""
    label = _LABEL.match(line)
    if label is None:
        return None
    kind = kind_of_heading(label[1])
    return (kind, label[1]) if kind in _INLINE else None


def _plain(line: str) -> str:
    """Lower case, without numbers, bullets and colons around it, letters together that are set apart."""
    text = _EDGES.sub("", _NUMBER.sub("", unicodedata.normalize("NFKC", line).strip()))
    if _SPACED.fullmatch(text):
        text = " ".join(word.replace(" ", "") for word in re.split(r"  +", text))
    return " ".join(text.casefold().replace("ß", "ss").split()).replace("ausserb", "außerb")
