"""The exported report in a real browser: it plays, sorts, adapts, prints, and asks nobody for anything."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.sample_report import sample_notebook
from workbench.report.export import export_html
from workbench.report.theme import contrast

#: Every element with text of its own: its colour and the first opaque ground under it, as #rrggbb.
COLOURS = """() => {
  const hex = (colour) => {
    const parts = colour.match(/[\\d.]+/g).map(Number);
    if (parts.length > 3 && parts[3] === 0) return null;
    return '#' + parts.slice(0, 3).map(part => Math.round(part).toString(16).padStart(2, '0')).join('');
  };
  const ground = (el) => {
    for (; el; el = el.parentElement) {
      const colour = hex(getComputedStyle(el).backgroundColor);
      if (colour) return colour;
    }
    return '#ffffff';
  };
  const out = [];
  for (const el of document.querySelectorAll('body *')) {
    const own = [...el.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (own && !el.closest('svg') && el.getClientRects().length) {
      out.push([hex(getComputedStyle(el).color), ground(el), el.textContent.trim().slice(0, 40)]);
    }
  }
  for (const el of document.querySelectorAll('svg text')) {
    out.push([hex(getComputedStyle(el).fill), ground(el.closest('figure')), el.textContent]);
  }
  return out;
}"""


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("a report's folder")
    notebook = sample_notebook(folder / "notebook.ipynb", folder)
    return export_html(notebook, folder / "report #1.html").path


@pytest.fixture
def open_page(browser, report):
    """Opens the report; what the console said and what was asked of the network is checked when the test ends."""
    contexts, said, asked = [], [], []

    def opened(**options):
        context = browser.new_context(**({"viewport": {"width": 1300, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("request", lambda request: asked.append(request.url[:80]))
        page.goto(report.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_every_clip_with_audio_has_a_player_and_words_are_buttons(open_page):
    page = open_page()
    assert page.locator("article.wb-clip").count() == 4
    assert page.locator("article.wb-clip audio[controls]").count() == 3
    words = page.locator("article.wb-clip").first.locator(".wb-words .wb-w[data-s]")
    assert words.count() == 23  # 25 tokens, five of them in one price, two insertions
    assert set(words.evaluate_all("all => all.map(w => w.getAttribute('role'))")) == {"button"}
    assert page.evaluate("window.broken") is None


def test_clicking_a_word_plays_from_it_and_lights_it_up(open_page):
    page = open_page()
    clip = page.locator("article.wb-clip").first
    word = clip.locator(".wb-w", has_text="clock")
    word.click()
    start = float(word.get_attribute("data-s"))
    page.wait_for_function("t => document.querySelector('.wb-clip audio').currentTime > t + 0.02", arg=start, timeout=60_000)
    assert clip.locator("audio").evaluate("a => a.currentTime") < start + 3
    page.wait_for_selector(".wb-clip .wb-w.wb-on", state="attached", timeout=60_000)
    first = clip.locator(".wb-w.wb-on").first.inner_text()
    page.wait_for_function("was => ![...document.querySelectorAll('.wb-on')].some(w => w.innerText === was)", arg=first, timeout=60_000)
    assert clip.locator("audio").evaluate("a => !a.error")


def test_the_light_stands_on_the_word_at_the_current_time(open_page):
    page = open_page()
    clip = page.locator("article.wb-clip").first
    word = clip.locator(".wb-w", has_text="Hale")
    middle = word.evaluate("w => (Number(w.dataset.s) + Number(w.dataset.e)) / 2")
    clip.locator("audio").evaluate(
        "(a, t) => new Promise(done => {"
        " a.onseeked = done; a.preload = 'auto'; a.onloadedmetadata = () => { a.currentTime = t; }; a.load(); })",
        middle,
    )
    assert "Hale" in "".join(clip.locator(".wb-w.wb-on").all_inner_texts())


def test_only_one_clip_plays_at_a_time(open_page):
    page = open_page()
    for index in (0, 2):
        page.locator("article.wb-clip").nth(index).locator(".wb-words .wb-w[data-s]").first.click()
        page.wait_for_function("i => !document.querySelectorAll('.wb-clip')[i].querySelector('audio').paused", arg=index)
    assert page.locator("article.wb-clip audio").evaluate_all("all => all.map(a => a.paused)") == [True, True, False]


def test_the_keyboard_goes_from_word_to_word_and_plays(open_page):
    page = open_page()
    words = page.locator("article.wb-clip").first.locator(".wb-words .wb-w[data-s]")
    assert words.evaluate_all("all => all.filter(w => w.tabIndex === 0).length") == 1
    words.first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowLeft"):
        page.keyboard.press(key)
    start = float(page.evaluate("document.activeElement.dataset.s"))
    page.keyboard.press("Enter")
    page.wait_for_function("t => document.querySelector('.wb-clip audio').currentTime >= t", arg=start)
    page.keyboard.press(" ")
    page.wait_for_function("document.querySelector('.wb-clip audio').paused")


def test_a_word_tells_its_verdict_to_a_screen_reader(open_page):
    labels = open_page().locator("article.wb-clip").first.locator(".wb-w[aria-label]").evaluate_all("all => all.map(w => w.ariaLabel)")
    assert any("TTS failure: heard whales" in label for label in labels)
    assert any("fast heard free, precision heard three" in label for label in labels)


def test_a_heading_sorts_its_table_and_the_total_stays_last(open_page):
    page = open_page()
    table = page.locator("table", has_text="Headline per voice")
    table.get_by_role("button", name="WER, fast engine").click()
    assert table.locator("tbody th").all_inner_texts()[-1] == "slt"
    assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    table.get_by_role("button", name="WER, fast engine").click()
    assert table.locator("tbody th").all_inner_texts()[0] == "slt" and table.locator("tfoot th").inner_text() == "all"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_reaches_contrast_4_5_as_computed_before_and_after_the_toggle(open_page, scheme):
    page = open_page(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    grounds, low = [], set()
    for _ in range(2):
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        low |= {(ink, on, text) for ink, on, text in page.evaluate(COLOURS) if contrast(ink, on) < 4.5}
        page.locator(".wb-toggle").click()
    assert low == set() and grounds[0] != grounds[1]


def test_the_chosen_theme_is_kept(open_page):
    page = open_page(color_scheme="light")
    page.locator(".wb-toggle").click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.locator(".wb-toggle").inner_text() == "Light"


def test_the_page_never_scrolls_sideways(open_page):
    page = open_page()
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    for width in (320, 360, 768, 1100, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_first_screen_holds_verdict_headline_table_and_identity(open_page):
    page = open_page(viewport={"width": 1400, "height": 900})
    for selector in (".wb-verdict", "table.wb-dense", ".wb-identity"):
        box = page.locator(selector).first.bounding_box()
        assert box["y"] + box["height"] <= 900, selector
    fits = page.locator("table.wb-dense").first.evaluate("t => t.scrollWidth <= t.parentElement.clientWidth + 1")
    assert fits, "the headline table of twelve columns fits its place on a common screen"


def test_contents_lead_to_their_sections(open_page):
    page = open_page()
    link = page.get_by_role("navigation").get_by_role("link", name="Worst clips")
    link.click()
    page.wait_for_function("document.querySelector('.wb-gallery h3').getBoundingClientRect().top < 200")


def test_without_javascript_everything_is_there(open_page):
    page = open_page(java_script_enabled=False)
    clip = page.locator("article.wb-clip").first
    assert clip.locator("audio").is_visible() and clip.locator("audio").get_attribute("controls") is not None
    assert "✗ TTS" in clip.locator(".wb-words").inner_text()
    assert page.locator("table", has_text="Headline per voice").locator("tbody tr").count() == 3
    assert not page.locator(".wb-toggle").is_visible()
    assert page.locator(".wb-w[role=button]").count() == 0


@pytest.mark.parametrize("scripts", [True, False])
def test_paper_shows_everything(open_page, tmp_path, scripts):
    page = open_page(java_script_enabled=scripts, color_scheme="dark" if scripts else "light")
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.fail("this test reads the printed page: install it with 'apt-get install poppler-utils' and run the tests again")
    text = subprocess.run([reader, "-layout", tmp_path / "report.pdf", "-"], capture_output=True, text=True, check=True, timeout=60).stdout
    for part in (
        "3.1% of 3,612 words",
        "Headline per voice",
        "Precision heard",
        "whales",
        "The numbers",
        "report.breakdown()",
        "every word passed",
        "voices = ['slt']",
    ):
        assert part in text, part
    # Twelve columns, none cut: the last one of the headline table is on the paper.
    assert any("failures" in line and "voice" in line for line in text.splitlines())
