"""The validation notebook's own report in a real browser."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(("width", "scheme"), [(1300, "light"), (390, "dark")])
def test_the_report_of_a_real_run_works_in_a_browser(browser, smoke_run, width, scheme):
    said, asked = [], []
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((smoke_run / "report.html").as_uri())
    assert page.locator(".wb-verdict").is_visible()
    assert page.locator("article.wb-clip audio[controls]").count() == 4
    for section in ("Verdicts", "Can the validator be trusted?", "Listen", "What failed", "Provenance"):
        assert page.locator("h2", has_text=section).count() == 1
    word = page.locator("article.wb-clip .wb-words .wb-w[data-s]").nth(1)
    start = float(word.get_attribute("data-s"))
    word.click()
    page.wait_for_function("t => document.querySelector('.wb-clip audio').currentTime > t", arg=start, timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
    assert said == []
    assert all(url.startswith(("file:", "data:")) for url in asked)


def test_the_report_of_a_real_run_is_complete_without_javascript(browser, smoke_run):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((smoke_run / "report.html").as_uri())
    text = page.inner_text("body")
    context.close()
    for said in ("flagged as not said", "Headline per voice", "planted errors found", "showing 2 of 4", "Engines and licences"):
        assert said in text, said
