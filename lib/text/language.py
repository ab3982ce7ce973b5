"""Which language a text is written in.

Function words decide most texts in microseconds; lingua is asked only when they are silent or contradict each other.
lingua runs in its low-accuracy mode: 14 languages cost 25 MB, the other mode 410 MB (measured 2026-11, CPython 3.11).
"""

from __future__ import annotations

import functools
import re
from collections import Counter

from lingua import Language, LanguageDetector, LanguageDetectorBuilder

MAX_CHARS = 3_000
_MIN_LETTERS = 12
_MIN_WORDS = 4
_CONFIDENT = 0.9

_WORD = re.compile(r"[^\W\d_]+")
_FUNCTION_WORDS = {
    "de": "der die das und für mit von zu im den dem ein eine einer eines wir sie ist sind als auf bei oder zum zur "
    "nicht auch ihre ihr unser unsere sich werden haben deine dein dich dir uns aus sowie nach über bis",
    "en": "the and of to for with you your our we are is will in on as be that this have who their at from by or an "
    "it can team about what more all not",
    "fr": "le la les des et pour avec vous nous votre notre est sont du une un dans au aux sur qui que par vos nos ou "
    "être plus ce cette en de",
    "it": "il lo gli di e per con una un della delle dei del nel nella che sono è tuo nostra nostro alla al da come "
    "si più le la i in",
    "es": "el los las y para con una un del que en es son tu nuestro nuestra como por al más su se la de o experiencia",
    "nl": "de het een en van voor met je jij wij ons onze zijn is op te bij aan als naar niet ook in ben jouw dat of",
    "pl": "i w z na do oraz dla się jest o od po za nie to że lub twoje nasz nas pracy jako który",
    "pt": "o os as e para com uma um do da dos das que em é são você nosso nossa por no na ou mais se de",
    "cs": "a v na se s z do je pro o že k jsme nebo za jako od práce po jsou ve",
    "ro": "și în de la cu pentru din este sunt un o care pe să sau mai ale al noastră echipa",
    "hu": "a az és egy hogy nem is van vagy meg el csak mint munka",
    "tr": "ve bir bu için ile olarak da de veya olan daha çok iş en gibi",
    "sv": "och att det som en i på är av för med till den har du vi ett om inte eller dig oss",
    "da": "og at det som en i på er af for med til den har du vi et om ikke eller dig os der",
}
_LANGUAGES_OF = {
    word: tuple(code for code, words in _FUNCTION_WORDS.items() if word in words.split())
    for words in _FUNCTION_WORDS.values()
    for word in words.split()
}


def detect(text: str) -> str | None:
    """ISO 639-1 code of the language of `text` (its first MAX_CHARS characters), None when that is not clear.

    Knows de, en, fr, it, es, nl, pl, pt, cs, ro, hu, tr, sv and da.
    """
    sample = text[:MAX_CHARS]
    words = _WORD.findall(sample.lower())
    code = _by_function_words(words)
    if code is not None:
        return code
    if sum(map(len, words)) < _MIN_LETTERS or len(words) < 2:
        return None
    best = _detector().compute_language_confidence_values(" ".join(words))[0]
    if best.value < (_CONFIDENT if len(words) >= _MIN_WORDS else 0.97):
        return None
    return _code(best.language)


def _by_function_words(words: list[str]) -> str | None:
    """The language whose function words clearly lead, None when too few were seen or two languages are close."""
    seen: Counter[str] = Counter()
    for word in words:
        for code in _LANGUAGES_OF.get(word, ()):
            seen[code] += 1
    ranked = seen.most_common(2)
    if not ranked or ranked[0][1] < 5:
        return None
    runner_up = ranked[1][1] if len(ranked) > 1 else 0
    code, hits = ranked[0]
    return code if hits >= 2 * runner_up and hits * 12 >= len(words) else None


@functools.cache
def _detector() -> LanguageDetector:
    return (
        LanguageDetectorBuilder.from_iso_codes_639_1(
            *(language.iso_code_639_1 for language in Language.all() if _code(language) in _FUNCTION_WORDS)
        )
        .with_low_accuracy_mode()
        .build()
    )


def _code(language: Language) -> str:
    return language.iso_code_639_1.name.lower()
