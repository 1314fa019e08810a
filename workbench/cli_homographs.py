"""``workbench homographs ...``: training the model of readings, and what it says of a text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

homographs_app = typer.Typer(no_args_is_help=True, help="Homographs: which reading a sentence asks for, and which one a voice spoke.")


@homographs_app.command()
def train(
    data: Annotated[Path, typer.Argument(help="labelled sentences in the Wikipedia Homograph Data's format: a .tsv file, or a folder with train.tsv")],
    out: Annotated[Path, typer.Option(help="file to write")],
    source: Annotated[str, typer.Option(help="name and licence of the data, for the provenance")] = "",
    encoder: Annotated[Path | None, typer.Option(help="folder of a Hugging Face encoder, used frozen; without one the small linear model is trained")] = None,
    device: Annotated[str, typer.Option(help="of the encoder: cpu or cuda")] = "cpu",
) -> None:
    """Train the model that tells which reading a sentence asks for; the last line is its file."""
    from workbench.homographs.train_model import train_to_file

    for line in train_to_file(data, out, source=source, encoder=encoder, device=device, say=lambda line: typer.echo(line, err=True)):
        typer.echo(line, err=True)
    typer.echo(str(out))


@homographs_app.command()
def expected(
    text: Annotated[str | None, typer.Argument(help="text; without one it is read from --file or standard input")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="text file, UTF-8")] = None,
    model: Annotated[Path | None, typer.Option(help="trained model; by default the one that ships")] = None,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="a reading less likely than this is not chosen")] = 0.65,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
    device: Annotated[str, typer.Option(help="of an encoder: cpu or cuda")] = "cpu",
) -> None:
    """Show every homograph of a text: where, the reading that is asked for, how sure, how it sounds."""
    from workbench.homographs.telling import lines_of, text_from

    for line in lines_of(text_from(text, file), model=model, threshold=threshold, as_json=as_json, device=device):
        typer.echo(line)
