"""The model comparison's own report in a real browser."""

from __future__ import annotations

import pytest

from tests.browser.test_report_in_browser import COLOURS
from workbench.report.theme import contrast

SECTIONS = ("What may be claimed", "By category", "What the judges say", "Several objectives", "Signal", "Listen", "What failed", "Provenance")


@pytest.mark.parametrize(("width", "scheme"), [(1300, "light"), (390, "dark")])
def test_the_report_of_a_real_comparison_works_in_a_browser(browser, comparison_smoke_run, width, scheme):
    said, asked = [], []
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((comparison_smoke_run / "report.html").as_uri())
    for section in SECTIONS:
        assert page.locator("h2", has_text=section).count() == 1, section
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert {(ink, on, text) for ink, on, text in page.evaluate(COLOURS) if contrast(ink, on) < 4.5} == set()
    context.close()
    assert said == []
    assert all(url.startswith(("file:", "data:")) for url in asked)


def test_of_the_systems_in_a_row_one_plays_at_a_time_and_lights_its_own_words(browser, comparison_smoke_run):
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    page = context.new_page()
    page.goto((comparison_smoke_run / "report.html").as_uri())
    row = page.locator(".wb-row").first
    cells = row.locator("article.wb-clip")
    assert cells.count() == 2 and row.locator("audio[controls]").count() == 2
    tops = cells.evaluate_all("all => all.map(c => c.getBoundingClientRect().top)")
    assert tops[0] == tops[1], "side by side on a wide screen"
    for index in (0, 1):
        cells.nth(index).locator("audio").evaluate("a => a.play()")
        page.wait_for_function("i => !document.querySelectorAll('.wb-row article audio')[i].paused", arg=index)
    assert row.locator("audio").evaluate_all("all => all.map(a => a.paused)") == [True, False]
    context.close()


def test_the_first_screen_holds_ranking_headline_and_identity(browser, comparison_smoke_run):
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.goto((comparison_smoke_run / "report.html").as_uri())
    for selector in (".wb-verdict", "table.wb-dense", ".wb-identity"):
        box = page.locator(selector).first.bounding_box()
        assert box["y"] + box["height"] <= 900, selector
    assert page.locator("table.wb-dense").first.evaluate("t => t.scrollWidth <= t.parentElement.clientWidth + 1")
    context.close()


def test_on_paper_no_evidence_leaves_its_card(browser, comparison_smoke_run):
    context = browser.new_context(viewport={"width": 690, "height": 900})
    page = context.new_page()
    page.goto((comparison_smoke_run / "report.html").as_uri())
    page.emulate_media(media="print")
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    beyond = "all => all.map(t => t.getBoundingClientRect().right - t.closest('article').getBoundingClientRect().right)"
    found = page.locator(".wb-versus .wb-evidence").evaluate_all(beyond)
    assert found and max(found) <= 0
    context.close()
