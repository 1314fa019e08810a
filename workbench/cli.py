"""``workbench ...``: every verb is one call into a room."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli_db import db_app
from workbench.cli_homographs import homographs_app
from workbench.errors import WorkbenchError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="Research workbench for text-to-speech.")
weights_app = typer.Typer(no_args_is_help=True, help="Weights of the engines: what there is, fetching it, whether it is whole.")
app.add_typer(weights_app, name="weights")
app.add_typer(db_app, name="db")
app.add_typer(homographs_app, name="homographs")


@app.command()
def run(
    phase: Annotated[str, typer.Argument(help="notebook to run, for instance validation")],
    assignments: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="single parameters, winning over files")] = None,
    profile: Annotated[str | None, typer.Option(help="params/PHASE/PROFILE.yaml")] = None,
    params: Annotated[list[Path] | None, typer.Option("-p", "--params", help="further YAML files of parameters, later ones win")] = None,
    outputs: Annotated[Path, typer.Option(help="where run folders go")] = Path("outputs"),
) -> None:
    """Run a phase's notebook into a report; the last line is the report's path."""
    from workbench.report.run import run_notebook

    folder = run_notebook(phase, profile=profile, files=params or (), assignments=assignments or (), outputs=outputs)
    typer.echo(str(folder / "report.html"))


@app.command()
def scan(
    manifest: Annotated[str, typer.Argument(help="folder, file or hf:owner/name with clips, see docs/manifests.md")],
    assignments: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="single parameters of the scan, winning over files")] = None,
    stages: Annotated[str, typer.Option(help="of fast, precision and mos")] = "fast,precision,mos",
    db: Annotated[str | None, typer.Option("--db", help="a SQLite file, or postgresql://user@host/database; by default outputs/workbench.sqlite")] = None,
    runner: Annotated[str | None, typer.Option(help="local (by default) or ray")] = None,
    ray_address: Annotated[str | None, typer.Option(help="of a running cluster; by default a Ray of its own")] = None,
    order: Annotated[str | None, typer.Option(help="stream (by default): every clip through all stages; batch: each stage over all clips")] = None,
    escalate: Annotated[str | None, typer.Option(help="what the precision engine hears: all, flagged (by default) or words")] = None,
    mos_mode: Annotated[str | None, typer.Option(help="what is judged: all, passed (by default), sample, flagged_only or none")] = None,
    params: Annotated[list[Path] | None, typer.Option("-p", "--params", help="YAML files of parameters, later ones win")] = None,
    kind: Annotated[str | None, typer.Option(help="of the manifest, where its path misleads")] = None,
    dataset: Annotated[str | None, typer.Option(help="name in the database; by default from the manifest")] = None,
    name: Annotated[str | None, typer.Option(help="of the scan; by default from the manifest, so that the same command goes on where it stopped")] = None,
    verdicts: Annotated[bool, typer.Option(help="bring the verdict columns up to date at the end")] = True,
) -> None:
    """Run a manifest through the cascade into the results database. Run again, it computes only what is missing."""
    from workbench.clips import open_manifest
    from workbench.scan.command import of_stages, scan_manifest
    from workbench.scan.plan import ScanParameters
    from workbench.settings import gather

    given = {"database": db, "runner": runner, "ray_address": ray_address, "order": order, "escalate": escalate, "mos_mode": mos_mode}
    said = [f"{option}={value}" for option, value in given.items() if value is not None]
    usual = {"escalate": "flagged", "mos_mode": "passed"}
    parameters = gather(ScanParameters, usual, files=params or (), assignments=[*said, *(assignments or ())], where="parameters of scan")
    parameters = of_stages(parameters, [part.strip() for part in stages.split(",") if part.strip()])
    scan_manifest(open_manifest(manifest, kind=kind, dataset=dataset), parameters, scan_id=name, verdicts=verdicts)


def _show_columns(wanted: bool) -> None:
    if not wanted:
        return
    from workbench.datasets.columns import catalogue

    for column in catalogue().values():
        typer.echo(f"{column.name:<28}{column.kind:<8}{column.unit:<6}{column.meaning}")
    raise typer.Exit


@app.command("filter")
def filter_(
    manifest: Annotated[str, typer.Argument(help="folder, file or hf:owner/name that was scanned")],
    assignments: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="parameters of the scan, where the database holds results of several engines")] = None,
    keep: Annotated[list[str] | None, typer.Option(help="strict, balanced, permissive, or a rule: 'wer_fast < 0.05 and duration_sec < 15'; several must all hold")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="file to write: .jsonl, .csv or .parquet; by default kept.jsonl")] = None,
    db: Annotated[str | None, typer.Option("--db", help="a SQLite file, or postgresql://user@host/database; by default outputs/workbench.sqlite")] = None,
    scan_name: Annotated[str | None, typer.Option("--scan", help="name of the scan; by default that of the whole manifest")] = None,
    params: Annotated[list[Path] | None, typer.Option("-p", "--params", help="YAML files of the scan's parameters, or the params.yaml of a dataset comparison")] = None,
    kind: Annotated[str | None, typer.Option(help="of the manifest, where its path misleads")] = None,
    dataset: Annotated[str | None, typer.Option(help="name in the database; by default from the manifest")] = None,
    _columns: Annotated[bool, typer.Option("--columns", is_eager=True, callback=_show_columns, help="list the columns that rules may ask for")] = False,
) -> None:
    """Write the clips of a scanned manifest that a rule keeps, and say how many hours each condition took; the last line is the file's path."""
    from workbench.clips import open_manifest
    from workbench.datasets.command import filter_scanned

    said = [*([f"database={db}"] if db else []), *(assignments or ())]
    found = open_manifest(manifest, kind=kind, dataset=dataset)
    done = filter_scanned(found, out or Path("kept.jsonl"), keep or (), files=params or (), assignments=said, scan_id=scan_name, say=lambda line: typer.echo(line, err=True))
    typer.echo(str(done.path))


@app.command()
def runs(outputs: Annotated[Path, typer.Option(help="where run folders are")] = Path("outputs")) -> None:
    """List runs with state and headline."""
    from workbench.report.folders import list_runs

    rows = list_runs(outputs)
    if not rows:
        typer.echo(f"no runs under {outputs}; start one: workbench run validation --profile demo")
    for row in rows:
        typer.echo(f"{row.state:<12} {row.phase:<12} {row.folder.name}  {row.headline}")


engines_app = typer.Typer(invoke_without_command=True)
app.add_typer(engines_app, name="engines")


@engines_app.callback()
def engines(context: typer.Context, kind: Annotated[str | None, typer.Option(help="tts, stt, judge or phones")] = None) -> None:
    """List engines: kind, available or what to install, licences of code and of weights."""
    if context.invoked_subcommand:
        return
    from workbench.engines import known
    from workbench.errors import unknown_name
    from workbench.weights.listing import engine_lines

    if kind is not None and kind not in ("tts", "stt", "judge", "phones"):
        raise unknown_name("kind of engine", kind, ("tts", "stt", "judge", "phones"))
    for info in known(kind):
        state = f"missing {', '.join(info.missing())}; to mend: {info.install}" if info.missing() else "available"
        typer.echo(f"{info.name:<22}{info.kind:<7}{state}\n    {info.summary}\n    code: {info.licence_code}; weights: {info.licence_weights}")
        for line in engine_lines(info.name):
            typer.echo(f"    {line}")


@engines_app.command()
def install(name: Annotated[str, typer.Argument(help="engine, or environment, to install")]) -> None:
    """Build the environment of its own that an engine runs in; the last line is its folder."""
    from workbench.isolated.install import install as build

    typer.echo(str(build(name, say=lambda line: typer.echo(line, err=True))))


@app.command()
def doctor(brief: Annotated[bool, typer.Option(help="one line")] = False) -> None:
    """Say what this machine lacks and the one command that mends each."""
    from workbench.doctor import examine

    findings = examine()
    lacking = [finding for finding in findings if finding.mend and not finding.extra]
    if brief:
        told = "; ".join(f"{f.name} is missing ({f.without}; to mend: {f.mend})" for f in lacking)
        typer.echo(told or "everything is installed")
        return
    for finding in findings:
        state = ("extra" if finding.extra else "missing") if finding.mend else "ok"
        typer.echo(f"{state:<9}{finding.name:<26}{finding.mend or finding.found}")
    raise typer.Exit(code=1 if lacking else 0)


@weights_app.command("list")
def weights_list(as_json: Annotated[bool, typer.Option("--json", help="as JSON, every field in full")] = False) -> None:
    """List sets of weights: engines, licence, revision, size, where they land, present or not."""
    from workbench.weights import listing

    shown = listing.rows()
    _show(shown, listing.table(shown), as_json)


@weights_app.command("fetch")
def weights_fetch(names: Annotated[list[str], typer.Argument(help="sets of weights, as the list names them")]) -> None:
    """Bring sets of weights into the cache; what broke off is continued."""
    from workbench.weights.catalogue import weights
    from workbench.weights.fetch import fetch
    from workbench.weights.listing import size

    for found in [weights(name) for name in dict.fromkeys(names)]:
        if not found.commercial:
            typer.echo(f"{found.name}: licence {found.licence}, not for commercial use", err=True)
        done = fetch(found.name, say=lambda line: typer.echo(line, err=True))
        told = "fetched" if done.downloaded else "already there"
        typer.echo(f"{done.weights}: {told}, {done.files} files, {size(done.size_bytes)}, revision {done.commit}, in {done.folder}")


@weights_app.command("verify")
def weights_verify(
    names: Annotated[list[str] | None, typer.Argument(help="sets of weights; without names, all that were fetched")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Hash every file against the catalogue and the first fetch: ok, missing, changed or unverified. Exit status 1 on a fault."""
    from dataclasses import asdict

    from workbench.weights import listing
    from workbench.weights.catalogue import every, weights
    from workbench.weights.check import check
    from workbench.weights.places import folder_of

    chosen = [weights(name) for name in dict.fromkeys(names)] if names else [found for found in every() if folder_of(found).exists()]
    states = [state for found in chosen for state in check(found)]
    told = "\n".join(listing.file_lines(states)) or "nothing was fetched yet: workbench weights list"
    _show([asdict(state) for state in states], told, as_json)
    raise typer.Exit(code=1 if any(state.is_fault for state in states) else 0)


def _show(data: object, drawn: object, as_json: bool) -> None:
    import json

    from rich.console import Console

    if as_json:
        typer.echo(json.dumps(data, indent=1, ensure_ascii=False))
    else:
        Console(soft_wrap=isinstance(drawn, str), markup=False, highlight=False).print(drawn)


def main() -> None:
    """Entry point: user errors end in one clear line and exit status 1."""
    try:
        app()
    except WorkbenchError as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
