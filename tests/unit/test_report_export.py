"""An executed notebook as one file: complete, in order, and opening nothing."""

import json
import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from workbench.errors import RunError
from workbench.report.export import export_html
from workbench.report.sanitise import without_scripts


@pytest.fixture
def export(tmp_path):
    def exported(cells, *, metadata=None, **options):
        (tmp_path / "n.ipynb").write_text(json.dumps(new_notebook(cells=cells, metadata=metadata or {})))
        summary = export_html(tmp_path / "n.ipynb", tmp_path / "n.html", **options)
        return summary, (tmp_path / "n.html").read_text()

    return exported


def shown(html, **data):
    return new_output("display_data", data={"text/html": html, **data})


def code(source, *outputs, count=1, **metadata):
    return new_code_cell(source, execution_count=count, metadata=metadata, outputs=list(outputs))


def main_of(page):
    return page[page.index("<main") :]


def test_what_is_shown_keeps_its_place_and_the_rest_moves_to_the_appendix(export):
    _, page = export(
        [code("x = 1", tags=["parameters"]), code("import os"), code("show()", shown("<b>ANSWER</b>")), new_markdown_cell("## Detail")]
    )
    body = main_of(page)
    order = [body.index(part) for part in ("ANSWER", "show()", "Detail", "Code and run log", "x = 1", "import os")]
    assert order == sorted(order)


def test_the_page_names_no_other_file_and_one_script(export):
    _, page = export(
        [
            new_markdown_cell("# T\n\n[link](https://example.org)"),
            code("a", shown("<script src='https://example.org/x.js'></script><img src='a.png'>")),
        ]
    )
    assert page.count("<script") == 1
    assert re.findall(r'(?:src|srcset|data|poster)="(?!data:)', page) == []
    assert "default-src 'none'" in page and "@import" not in page and "url(http" not in page


def test_an_error_is_shown_in_its_place_and_announced_first(export):
    error = new_output("error", ename="ValueError", evalue="no <b>voice</b>", traceback=["\x1b[31mTraceback\x1b[0m", "line"])
    summary, page = export([new_markdown_cell("## One"), code("boom()", error), code("after()", count=None)])
    body = main_of(page)
    assert summary.errors == ("ValueError: no <b>voice</b>",)
    assert body.index("did not run to its end") < body.index("One") < body.index('id="wb-error-2"') < body.index("Traceback")
    assert "1 code cell was not run" in body and "\x1b" not in page and "<b>voice" not in page


def test_an_error_in_a_tagged_cell_is_not_hidden(export):
    _, page = export([code("boom()", new_output("error", ename="E", evalue="v", traceback=[]), tags=["appendix"])])
    assert page.index('id="wb-error-1"') < page.index("boom()") and "Code and run log" not in page


def test_a_finished_notebook_carries_no_alarm(export):
    assert "did not run" not in export([code("a", shown("x"))])[1]


def test_widgets_scripts_and_the_live_theme_are_left_out(export):
    widget = new_output("display_data", data={"application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider()"})
    live = shown("<div data-wb-theme><style>LIVE{}</style></div>")
    script = new_output("display_data", data={"application/javascript": "alert(1)", "text/plain": "<IPython Javascript>"})
    _, page = export([code("w", widget, live, script)])
    assert not any(text in page for text in ("IntSlider", "LIVE", "alert(1)", "IPython Javascript"))


def test_printed_lines_are_folded_without_terminal_codes_and_bounded(export):
    stream = new_output("stream", name="stdout", text="\x1b[1m10%\r100%\x1b[0m\n" + "line\n" * 5000)
    _, page = export([code("run()", stream)])
    assert "Printed, 5,001 lines" in page and "lines left out" in page and "100%" in page and "10%\r" not in page and "\x1b[" not in page


def test_contents_list_the_headings_with_unique_anchors(export):
    _, page = export([new_markdown_cell("# T\n## Same & <i>more</i>\n### Part\n## Same & <i>more</i>")])
    toc = page[page.index("<nav") : page.index("</nav>")]
    targets = re.findall(r'href="#([^"]+)"', toc)
    assert len(targets) == len(set(targets)) == 3 and all(f'id="{t}"' in page for t in targets)
    assert "&lt;i&gt;more" in toc and "<i>more" not in page


def test_the_first_heading_is_the_title_and_is_not_repeated(export):
    cells = [new_markdown_cell("# My <title>\n\ntext")]
    assert export(cells)[1].count("My &lt;title&gt;") == 2  # the tab and the page
    assert "My &lt;title" not in export(cells, title="Other")[1]


def test_when_it_ran_comes_from_papermill(export):
    _, page = export([], metadata={"papermill": {"start_time": "2026-11-03T21:36:00.123456+00:00", "duration": 83.2}})
    assert "3 November 2026, 21:36 UTC, took 1 min 23 s" in page


def test_pictures_inside_the_notebook_stay(export):
    cell = new_markdown_cell("![a b](attachment:p.png)", attachments={"p.png": {"image/png": "iVBORw0KGgo="}})
    plot = new_output("display_data", data={"image/png": "iVBORw0KGgo=\n", "text/plain": "<Figure size 1x1>"})
    vector = new_output("display_data", data={"image/svg+xml": "<svg onload='alert(1)'/>"})
    _, page = export([cell, code("plot()", plot, vector)])
    assert page.count('src="data:image/png;base64,iVBORw0KGgo="') == 2 and "onload" not in page


@pytest.mark.parametrize("content", ["", "[]", '{"nbformat": 3, "worksheets": []}', "{"])
def test_a_file_that_is_no_notebook_is_refused_and_nothing_is_written(tmp_path, content):
    (tmp_path / "n.ipynb").write_text(content)
    with pytest.raises(RunError):
        export_html(tmp_path / "n.ipynb", tmp_path / "n.html")
    assert not (tmp_path / "n.html").exists()


def test_ten_megabytes_of_audio_are_exported(export):
    audio = '<audio controls src="data:audio/mpeg;base64,' + "A" * 250_000 + '"></audio>'
    summary, _ = export([new_markdown_cell("# T"), code("g()", *[shown(f"<p>clip {i}</p>{audio}") for i in range(40)])])
    assert summary.size_bytes > 10_000_000


@pytest.mark.parametrize(
    ("foreign", "clean"),
    [
        ("<b onclick='x()' class=\"c\">a</b>", '<b class="c">a</b>'),
        ("a<script>x('<b>')</script>b", "ab"),
        ("<iframe src='x'>in</iframe>out", "out"),
        ("<a href='java\tscript:x()'>a</a>", "<a>a</a>"),
        ("<a href='https://example.org'>a</a>", "<a href='https://example.org'>a</a>"),
        ("<img src='https://example.org/a.png' alt='a'>", '<img alt="a">'),
        ("<img src='data:image/png;base64,AA'>", "<img src='data:image/png;base64,AA'>"),
        ("<i style='background:url(https://x/y)'>a</i>", '<i style="background:">a</i>'),
        ("<style>@import 'x'; b{color:red}</style>", "<style> b{color:red}</style>"),
        ("<svg><use xlink:href='#a'/></svg> &lt;b&gt; &amp; &#39;", "<svg><use xlink:href='#a'/></svg> &lt;b&gt; &amp; &#39;"),
        ("<script>never closed <p>x", ""),
    ],
)
def test_foreign_html_keeps_what_is_harmless(foreign, clean):
    assert without_scripts(foreign) == clean
