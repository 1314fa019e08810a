"""The listening test as a listener meets it: the notebook in JupyterLab, in a real browser, by mouse and by keyboard."""

from __future__ import annotations

import base64
import re

import pytest

from tests.lab_for_tests import PATIENCE_MS, jupyter_lab, notebook_with, run_all_cells
from tests.listening_for_tests import ratings_path, tone_test
from workbench.listening.ratings import read_ratings


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return tone_test(tmp_path_factory.mktemp("lab"), systems=2, texts=3, mos_trials=3, ab_trials=2, abx_trials=1, checks_every=3)


@pytest.fixture(scope="module")
def lab(prepared):
    folder = prepared.folder.parent
    notebook_with("listening_test", folder, test_folder=str(prepared.folder), collect=True, texts="")
    with jupyter_lab(folder) as address:
        yield address


@pytest.fixture(scope="module")
def page(browser, lab):
    """The notebook after Run All Cells, with the test's start screen."""
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    run_all_cells(page, lab, "listening_test.ipynb")
    page.wait_for_selector(".wb-listen input")
    yield page
    context.close()


def begin(page, listener: str) -> None:
    page.locator(".wb-listen input").fill(listener)
    page.locator(".wb-listen input").press("Enter")
    page.wait_for_selector(".wb-listen .wb-progress")


def answers(page):
    return page.locator(".wb-listen .wb-answer")


def test_a_test_is_taken_with_the_mouse_and_gone_on_with_by_keys_where_it_stopped(page, prepared):
    trials = prepared.plan.trials(0)
    cells = page.locator(".jp-Cell").count()
    begin(page, "Ann-1")
    assert page.locator(".wb-progress").inner_text().startswith(f"1 of {len(trials)}")
    assert page.locator(".wb-listen button.wb-next").is_disabled()
    answers(page).nth(3).click()
    page.wait_for_selector(".wb-answer[aria-pressed=true]")
    page.locator(".wb-listen button.wb-next").click()
    page.wait_for_selector(f"text=2 of {len(trials)}")
    page.locator(".wb-listen button.wb-leave").click()

    begin(page, "ann-1")
    assert "You went on after 1" in page.locator(".wb-progress").inner_text()
    page.wait_for_function("document.activeElement.classList.contains('wb-listen')")
    page.keyboard.press(" ")
    page.wait_for_function("[...document.querySelectorAll('.wb-sound audio')].some(a => a.currentTime > 0)")
    for position in range(2, len(trials) + 1):
        page.wait_for_function("p => document.querySelector('.wb-progress').innerText.startsWith(p)", arg=f"{position} of")
        page.wait_for_function("document.activeElement.classList.contains('wb-listen')")
        # "a" plays A, and adds no cell to the notebook.
        page.keyboard.press("a")
        page.keyboard.press("1")
        page.wait_for_selector(".wb-listen button.wb-next:enabled")
        page.keyboard.press("Enter")
    page.wait_for_selector("text=Thank you")

    found = read_ratings(ratings_path(prepared, "ann-1"), prepared.plan)
    assert [rating.trial for rating in found.ratings] == list(trials) and not found.refused
    assert [rating.answer for rating in found.ratings] == ["4", *("1" if trial.kind == "mos" else "A" for trial in trials[1:])]
    assert page.locator(".jp-Cell").count() == cells


def test_the_page_tells_nothing_of_systems_items_or_results(page, prepared):
    page.locator(".wb-listen button.wb-next").click()
    begin(page, "ben")
    html = page.locator(".wb-listen").evaluate("e => e.outerHTML")
    for secret in ("system", *(item.item_id for item in prepared.plan.items), *(trial.token for trial in prepared.plan.trials(1)), "degraded", "identical"):
        assert secret not in re.sub(r"base64,[^\"]*", "", html)
    sounds = [base64.b64decode(found) for found in re.findall(r"base64,([^\"]*)", html)]
    assert [prepared.audio_path(item).read_bytes() for item in prepared.plan.trials(1)[0].items] == sounds
    shown = page.locator(".jp-Notebook").inner_text()
    assert "results are kept back" in shown and "Mean opinion per system" not in shown
    page.locator(".wb-listen button.wb-leave").click()


def test_what_cannot_be_begun_is_said_on_the_screen(page, prepared):
    ratings_path(prepared, "cat").write_text("not,ratings\n")
    for listener, why in (("two words", "not a pseudonym"), ("cat", "cannot be gone on with")):
        page.locator(".wb-listen input").fill(listener)
        page.locator(".wb-listen button.wb-next").click()
        page.wait_for_selector(f".wb-listen-error:has-text('{why}')")
    ratings_path(prepared, "cat").unlink()


@pytest.mark.parametrize("width", [1300, 390])
def test_no_trial_is_wider_than_its_screen(page, width):
    page.set_viewport_size({"width": width, "height": 1000})
    begin(page, f"wide-{width}")
    fits = page.locator(".wb-listen").evaluate("e => [e, ...e.querySelectorAll('*')].every(x => x.scrollWidth <= x.clientWidth + 2 || getComputedStyle(x).display === 'inline')")
    page.locator(".wb-listen button.wb-leave").click()
    assert fits
