"""`vakanz model ...` makes the title model; `vakanz quality ...` measures it."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn, track
from rich.table import Column, Table

from lib.errors import VakanzError

if TYPE_CHECKING:
    from lib.match.ablation import Cell
    from lib.match.quality import Encode, Scores, Similarities

model_app = typer.Typer(help="The title model that matching starts with.", no_args_is_help=True)
quality_app = typer.Typer(help="How well titles are ranked.", no_args_is_help=True)


@model_app.callback()
def _model() -> None:
    """Keeps `train` a command of its own while it is the only one."""


@model_app.command("train")
def train_model(
    esco: Annotated[list[Path], typer.Option(exists=True, help="ESCO CSV folder; give one per language.")],
    onet: Annotated[Path, typer.Option(exists=True, help="O*NET text folder.")],
    kldb: Annotated[Path, typer.Option(exists=True, help="Gesamtberufsliste der BA, .xlsx or its folder.")],
    out: Annotated[Path, typer.Option(help="Folder for the model's files.")],
    exclude_concepts: Annotated[Path | None, typer.Option(help="ESCO concepts never to see, one URI a line.")] = None,
    exclude_titles: Annotated[Path | None, typer.Option(help="SHA-256 of titles never to see, one a line.")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Trains the static table on names of occupations, and centres the text model: three minutes on one core."""
    import numpy as np

    from lib.match.training.recipe import STEPS, centres, train
    from lib.match.training.taxonomies import read_descriptions, read_exclusions, read_taxonomies
    from lib.match.transformer import CENTRES, Transformer
    from lib.match.weights import builtin_weights

    try:
        without = read_exclusions(exclude_concepts, exclude_titles)
        taxonomies = read_taxonomies(esco, onet, kldb, without)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress, TemporaryDirectory() as scratch:
            task = progress.add_task("training", total=STEPS)

            def show(loss: float) -> None:
                progress.update(task, advance=1, description=f"loss {loss:.3f}")

            train(taxonomies, builtin_weights(), seed, show).save(out, f"vakanz-titles, seed {seed}")
            descriptions = read_descriptions(esco, without)
            np.save(out / CENTRES.name, centres(descriptions, Transformer(Path(scratch), 1), seed))
    except VakanzError as error:
        _fail(error)


class Method(StrEnum):
    """What compares titles: the first stage alone, the text model alone, or the sum of both."""

    static = "static"
    transformer = "transformer"
    hybrid = "hybrid"


_WIDE = 130  # characters of a table with intervals
_Models = Annotated[Path, typer.Option(help="Folder for converted model files.")]
_Threads = Annotated[int, typer.Option(min=0, help="Threads of the text model; 0: one per core.")]


@quality_app.command("titles")
def titles(
    queries: Annotated[Path, typer.Option(help="id, title; tab-separated, .gz too.")],
    corpus: Annotated[Path, typer.Option(help="id, title.")],
    qrels: Annotated[Path, typer.Option(help="query, 0, document, grade.")],
    method: Method = Method.static,
    models: _Models = Path("var/models"),
    threads: _Threads = 0,
) -> None:
    """Ranks the corpus for each query as matching does; prints MAP, MRR, nDCG@10 and titles/s as one JSON line."""
    from lib.match.quality import evaluate, read_benchmark

    try:
        scores = evaluate(read_benchmark(queries, corpus, qrels), _similarities(method, models, threads))
    except VakanzError as error:
        _fail(error)
    typer.echo(msgspec.json.encode(scores))


@quality_app.command("run")
def run(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Holds talentclef2025/ and melo/.")],
    models: _Models = Path("var/models"),
    threads: _Threads = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Only the JSON line.")] = False,
) -> None:
    """Static and hybrid ranking on TalentCLEF 2025 (German, English) and MELO (German): a table, then JSON."""
    from lib.match.quality import CASES, evaluate

    results: dict[str, dict[str, Scores]] = {}
    rounds = [(case, method) for case in CASES for method in (Method.static, Method.hybrid)]
    try:
        for case, method in track(rounds, "measuring", console=Console(stderr=True)):
            scores = evaluate(case.read(folder), _similarities(method, models, threads))
            results.setdefault(case.name, {})[method.value] = scores
    except VakanzError as error:
        _fail(error)
    if not as_json:
        Console().print(_table(results))
    typer.echo(msgspec.json.encode(results))


@quality_app.command("ablate")
def ablate(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Holds talentclef2025/ and melo/.")],
    models: _Models = Path("var/models"),
    threads: _Threads = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Only the JSON line.")] = False,
) -> None:
    """What each part of comparing titles is worth: differences to the first row, query by query; some five minutes."""
    from lib.match.ablation import ROWS, columns
    from lib.match.ablation import ablate as measure
    from lib.match.encoder import BUILTIN, load_text_encoder
    from lib.match.static import StaticTable

    results: dict[str, dict[str, Cell]] = {}
    try:
        benchmarks = columns(folder)
        cells = measure(benchmarks, StaticTable.load(), load_text_encoder(BUILTIN, models, threads))
        for row, column, cell in track(
            cells, "measuring", total=len(ROWS) * len(benchmarks), console=Console(stderr=True)
        ):
            results.setdefault(row, {})[column] = cell
    except VakanzError as error:
        _fail(error)
    if not as_json:
        Console(width=_WIDE).print(_differences(results, "way of comparing"))
    typer.echo(msgspec.json.encode(results))


@quality_app.command("resumes")
def resumes(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Holds talentclef2026_ro/.")],
    models: _Models = Path("var/models"),
    threads: _Threads = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Only the JSON line.")] = False,
) -> None:
    """Whole résumés against whole advertisements, and what becomes of it at other weights; some two minutes."""
    from lib.match.applicants import FOLDER, WAYS, Encoded, fitness, read_applicants
    from lib.match.encoder import BUILTIN, load_text_encoder, load_title_encoder
    from lib.match.tuning import tuned

    try:
        benchmark = read_applicants(folder / FOLDER)
        encoded = Encoded(benchmark, load_title_encoder(), load_text_encoder(BUILTIN, models, threads))
        ways = track(WAYS.items(), "comparing", console=Console(stderr=True))
        results = {name: fitness(way(encoded), benchmark) for name, way in ways}
    except VakanzError as error:
        _fail(error)
    weights = tuned(encoded.second_stage, benchmark)
    if not as_json:
        table = Table("whole texts", "nDCG@10", "+-", "MAP", "right job (MRR)", "+-")
        for name, one in results.items():
            table.add_row(name, *(f"{figure:.3f}" for figure in msgspec.structs.astuple(one)))
        Console().print(table)
        Console(width=_WIDE).print(_differences(weights, "weight"))
    typer.echo(msgspec.json.encode({"ways": results, "weights": weights}))


def _differences(results: dict[str, dict[str, Cell]], rows: str) -> Table:
    columns = (Column(name, no_wrap=True) for name in next(iter(results.values())))
    table = Table(Column(rows, no_wrap=True), *columns)
    table.caption = (
        "difference to the first row [95 % interval]; * it leaves out 0, and both halves of the queries agree"
    )
    for row, cells in results.items():
        table.add_row(row, *(_difference(cell) for cell in cells.values()))
    return table


def _difference(cell: Cell) -> str:
    if max(abs(cell.low), abs(cell.high)) < 0.0005:
        return f"{cell.mean:.3f}"
    star = "*" if cell.matters else ""
    return f"{cell.mean:.3f} {cell.difference:+.3f}{star}\n\\[{cell.low:+.3f}, {cell.high:+.3f}]"


def _table(results: dict[str, dict[str, Scores]]) -> Table:
    table = Table(
        Column("benchmark", no_wrap=True),
        "method",
        "MAP",
        "+-",
        "MRR",
        "nDCG@10",
        Column("titles/s", no_wrap=True, min_width=8),
    )
    for case, by_method in results.items():
        for method, scores in by_method.items():
            figures = (scores.map, scores.map_half_width, scores.mrr, scores.ndcg_at_10)
            table.add_row(case, method, *(f"{figure:.3f}" for figure in figures), f"{scores.titles_per_s:,.0f}")
    return table


def _similarities(method: Method, models: Path, threads: int) -> Similarities:
    from lib.match.encoder import BUILTIN, load_text_encoder, load_title_encoder
    from lib.match.quality import cosines, summed
    from lib.text.jobnames import job_name

    def named(encode: Encode) -> Encode:
        return lambda titles: encode([job_name(title) for title in titles])

    static = load_title_encoder()
    by_table = cosines(static.encode, static.encode)
    if method is Method.static:
        return by_table
    text = load_text_encoder(BUILTIN, models, threads)
    by_text = cosines(named(text.encode_queries), named(text.encode_passages))
    return by_text if method is Method.transformer else summed(by_table, by_text)


def _fail(error: VakanzError) -> NoReturn:
    typer.echo(f"vakanz: {error}", file=sys.stderr)
    raise typer.Exit(1) from error
