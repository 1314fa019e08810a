"""``workbench db ...``: what a results database holds, getting it out, bringing it to the present schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from workbench.store import Store

db_app = typer.Typer(no_args_is_help=True, help="The results database: export, errors, schema, what it holds.")

Database = Annotated[str, typer.Option("--db", help="a SQLite file, or postgresql://user@host/database")]
Scan = Annotated[str | None, typer.Option(help="only the clips of this scan")]
Dataset = Annotated[str | None, typer.Option(help="only this dataset")]


@db_app.command()
def info(db: Database) -> None:
    """Say what the database holds: rows by dataset, clips by scan, errors by stage."""
    with _opened(db) as store:
        found = store.info()
        typer.echo(f"database  {store.shown}\ndialect   {found.dialect}\nrevision  {found.revision}")
    for title, counts in (("rows of dataset", found.rows), ("clips of scan", found.scans), ("errors of stage", found.errors)):
        for name, count in counts.items():
            typer.echo(f"{title:<16}  {count:>12,}  {name}")
    if not found.rows:
        typer.echo("no rows yet")


@db_app.command()
def export(
    path: Annotated[Path, typer.Argument(help="file to write, .parquet or .csv")], db: Database, scan: Scan = None, dataset: Dataset = None
) -> None:
    """Write the rows into a Parquet or CSV file; the last line is its path."""
    with _opened(db) as store:
        count = store.export(path, dataset=dataset, scan_id=scan)
    typer.echo(f"{count:,} rows", err=True)
    typer.echo(str(path))


@db_app.command()
def errors(
    db: Database,
    scan: Scan = None,
    dataset: Dataset = None,
    forget: Annotated[bool, typer.Option("--forget", help="clear them, so that the next scan tries again")] = False,
) -> None:
    """List the clips that a stage failed on, or make the next scan try them again."""
    count = 0
    with _opened(db) as store:
        if forget:
            typer.echo(f"{store.forget_errors(scan_id=scan, dataset=dataset):,} errors forgotten; the next scan tries them again")
            return
        for error in store.errors(scan_id=scan, dataset=dataset):
            count += 1
            typer.echo("\t".join((error.stage, error.clip_id, error.type, f"attempts {error.attempts}", " ".join(error.message.split()))))
    typer.echo(f"{count:,} errors", err=True)


@db_app.command()
def upgrade(db: Database) -> None:
    """Create the tables, or bring them to the present schema; every command that opens the database does the same."""
    from workbench.store import Store

    with Store.open(db) as store:
        typer.echo(f"{store.shown}: revision {store.info().revision}")


def _opened(db: str) -> Store:
    from workbench.store import Store

    return Store.open(db, create=False)
