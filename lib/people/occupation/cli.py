"""`vakanz occupations ...`: import taxonomies, train the classifier on them, measure it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from lib.people.occupation.files import CARD, CORPUS, MODEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lib.people.occupation.corpus import Corpus
    from lib.people.occupation.measuring import Measured

occupations_app = typer.Typer(
    help="Which occupation a person has: taxonomies in, a classifier out. Without, a seed of 300 answers.",
    no_args_is_help=True,
)

_Folder = Annotated[
    Path,
    typer.Argument(
        exists=True,
        file_okay=False,
        help="Holds ESCO (CSV), O*NET (text), the BA's Gesamtberufsliste and AuxCo.",
    ),
]
_Home = Annotated[Path | None, typer.Option(help="Folder of data and models; the configured one if unsaid.")]
_Concepts = Annotated[Path | None, typer.Option(help="ESCO concepts never to see, one URI a line.")]
_Titles = Annotated[Path | None, typer.Option(help="SHA-256 of titles never to see, one a line.")]


@occupations_app.command("import")
def import_taxonomies(
    folder: _Folder, home: _Home = None, exclude_concepts: _Concepts = None, exclude_titles: _Titles = None
) -> None:
    """Reads the published files of the taxonomies and keeps what is learned from."""
    corpus = _read(folder, exclude_concepts, exclude_titles)
    path = _models(home) / CORPUS
    corpus.save(path)
    sources = ", ".join(f"{source} {count:,}" for source, count in corpus.counts().items())
    typer.echo(
        f"{len(corpus.names):,} names ({sources}), {len(corpus.texts):,} texts, {len(corpus.occupations):,} "
        f"occupations: {path}"
    )


@occupations_app.command("train")
def train_classifier(home: _Home = None) -> None:
    """Trains the classifier on what was imported: some five minutes on one core. Restart the API to use it."""
    from lib.people.occupation.card import card
    from lib.people.occupation.corpus import Corpus
    from lib.people.occupation.training import train

    models = _models(home)
    corpus = Corpus.load(models / CORPUS)
    with _progress() as step:
        model = train(corpus, step)
    model.save(models / MODEL)
    (models / CARD).write_text(card(corpus, model), "utf-8")
    typer.echo(f"{models / MODEL}: {(models / MODEL).stat().st_size / 1e6:.0f} MB")


@occupations_app.command("measure")
def measure_classifier(
    folder: _Folder,
    most: Annotated[int, typer.Option(min=1, help="Names of each taxonomy at most.")] = 3_000,
    exclude_concepts: _Concepts = None,
    exclude_titles: _Titles = None,
    as_json: Annotated[bool, typer.Option("--json", help="Only the JSON lines.")] = False,
) -> None:
    """Trains on nine tenths of the names and asks for the codes of the others; nothing is kept."""
    from lib.match.encoder import load_title_encoder
    from lib.people.occupation.measuring import measure, measure_seed, sides
    from lib.people.occupation.seed import Seeded
    from lib.people.occupation.training import train

    learned, kept = sides(_read(folder, exclude_concepts, exclude_titles))
    with _progress() as step:
        model = train(learned, step)
    results = [*measure(model, learned, kept, most), *measure_seed(Seeded(load_title_encoder()), kept, most)]
    if not as_json:
        Console().print(_table(results))
    for one in results:
        typer.echo(msgspec.json.encode(one))


def _read(folder: Path, concepts: Path | None, titles: Path | None) -> Corpus:
    from lib.match.training.taxonomies import read_exclusions
    from lib.people.occupation.importing import read_folder

    return read_folder(folder, read_exclusions(concepts, titles))


def _models(home: Path | None) -> Path:
    from lib.life.config import load

    return home.resolve() / "models" if home is not None else load().models


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Says which classification is being trained, and how many are to follow."""
    from lib.people.occupation.training import STEPS

    console, done = Console(stderr=True), iter(range(1, STEPS + 1))
    with console.status("reading"):
        yield lambda name: console.print(f"training {next(done)} of {STEPS}: {name}")


def _table(results: Sequence[Measured]) -> Table:
    table = Table(
        "method", "code", "names of", "digits", "names", "accuracy", "+-", "macro-F1", "calibration", "baseline"
    )
    for one in results:
        figures = (one.accuracy, one.half_width, one.macro_f1, one.calibration, one.baseline)
        cells = ("" if figure is None else f"{figure:.3f}" for figure in figures)
        table.add_row(one.method, one.classification, one.source, str(one.digits), str(one.names), *cells)
    return table
