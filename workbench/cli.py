"""``workbench ...``: every verb is one call into a room."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.errors import WorkbenchError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="Research workbench for text-to-speech.")


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
def engines(context: typer.Context, kind: Annotated[str | None, typer.Option(help="tts, stt or judge")] = None) -> None:
    """List engines: kind, available or what to install, licences of code and of weights."""
    if context.invoked_subcommand:
        return
    from workbench.engines import known
    from workbench.errors import unknown_name

    if kind is not None and kind not in ("tts", "stt", "judge"):
        raise unknown_name("kind of engine", kind, ("tts", "stt", "judge"))
    for info in known(kind):
        state = f"missing {', '.join(info.missing())}; to mend: {info.install}" if info.missing() else "available"
        typer.echo(f"{info.name:<22}{info.kind:<7}{state}\n    {info.summary}\n    code: {info.licence_code}; weights: {info.licence_weights}")


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
    lacking = [finding for finding in findings if finding.mend]
    if brief:
        told = "; ".join(f"{f.name} is missing ({f.without}; to mend: {f.mend})" for f in lacking)
        typer.echo(told or "everything is installed")
        return
    for finding in findings:
        typer.echo(f"{'missing' if finding.mend else 'ok':<9}{finding.name:<26}{finding.mend or finding.found}")
    raise typer.Exit(code=1 if lacking else 0)


def main() -> None:
    """Entry point: user errors end in one clear line and exit status 1."""
    try:
        app()
    except WorkbenchError as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
