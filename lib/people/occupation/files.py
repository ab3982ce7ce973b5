"""Where the corpus and the model are kept below the folder of models, and which classifier they give."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lib.match.encoder import TitleEncoder
    from lib.people.occupation.guesses import Classifier

CORPUS = Path("occupations", "corpus.zst")
MODEL = Path("occupations", "model.npz")
CARD = Path("occupations", "MODEL_CARD.md")


def load_classifier(models: Path, encoder: TitleEncoder) -> Classifier:
    """The model that was trained here, else the seed. Raises ConfigError where there is a model that cannot be read."""
    if (models / MODEL).exists():
        from lib.people.occupation.model import Model, Trained

        return Trained(Model.load(models / MODEL), encoder)
    from lib.people.occupation.seed import Seeded

    return Seeded(encoder)
