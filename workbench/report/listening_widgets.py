"""A listening test as widgets: a start screen, one trial after another, thanks. Nothing on the screen or in the page tells which system is heard.

Everything works with Tab and Enter alone; ``assets/listening.js`` adds digits for answers and keys to play, and keeps them from the notebook's own shortcuts.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.listening.base import NO_PREFERENCE, Trial, TrialKind
from workbench.listening.preparing import Prepared
from workbench.listening.ratings import answers_of
from workbench.listening.session import Session, open_session
from workbench.listening.study import ListeningConfig
from workbench.report.html import escape, prose
from workbench.report.players import audio_uri
from workbench.report.theme import THEME_MARK

if TYPE_CHECKING:
    import ipywidgets

#: What is asked, by kind of trial.
QUESTIONS = {
    TrialKind.MOS: "How natural does this recording sound?",
    TrialKind.AB: "Which of the two sounds more natural?",
    TrialKind.ABX: "X is a copy of A or of B. Of which?",
}
#: The five categories of ITU-T P.800, and the answers to pairs.
LABELS = {"1": "1 Bad", "2": "2 Poor", "3": "3 Fair", "4": "4 Good", "5": "5 Excellent", "A": "1 A", "B": "2 B", NO_PREFERENCE: "3 No difference"}
NAMES = {1: ("",), 2: ("A", "B"), 3: ("A", "B", "X")}
KEYS = "Keys: a digit chooses, Enter goes on, Space plays and pauses{more}."
#: Listening and answering, for the length that is foretold; a guess.
ANSWER_SEC = 4.0


@dataclass(frozen=True, slots=True)
class Style:
    """Style and keys of the test for a live notebook. An exported page leaves it out, like the report's own theme."""

    def _repr_html_(self) -> str:
        return f"<div {THEME_MARK}><style>{_asset('listening.css')}</style><script>{_asset('listening.js')}</script></div>"

    def __repr__(self) -> str:
        return "style of the listening test"


class ListeningPanel:
    """The test of one folder. ``widget`` is what a notebook displays; listeners may follow each other without running a cell again."""

    def __init__(self, prepared: Prepared) -> None:
        import ipywidgets as widgets

        self.prepared, self.session = prepared, None
        self._shown_at, self._choice = 0.0, ""
        self.listener = widgets.Text(placeholder="for instance listener-07", description="Pseudonym", layout=widgets.Layout(max_width="22rem"))
        self.start = self._button("Start", self._on_start, "wb-next")
        self.next = self._button("Next", self._on_next, "wb-next")
        self.again = self._button("Next listener", self._on_again, "wb-next")
        self.leave = self._button("Stop here", self._on_again, "wb-leave")
        self.answers: dict[str, ipywidgets.Button] = {}
        self.message = widgets.HTML()
        self.widget = widgets.VBox()
        self.widget.add_class("wb-listen")
        self._show_start()

    def _button(self, text: str, handler: Any, kind: str) -> ipywidgets.Button:
        import ipywidgets as widgets

        button = widgets.Button(description=text)
        button.add_class(kind)
        button.on_click(handler)
        return button

    def _show_start(self) -> None:
        trials = self.prepared.plan.trials(0)
        heard_sec = sum(self.prepared.plan.item[item].duration_sec for trial in trials for item in trial.items) + ANSWER_SEC * len(trials)
        self.message.value, self.listener.value = "", ""
        minutes = f"{max(1, round(heard_sec / 60))} minute{'s' if heard_sec >= 90 else ''}"
        intro = (
            f"<h3>Listening test</h3><p>You will hear {len(trials)} recordings or pairs of recordings, about {minutes} in all. Please use headphones in a "
            "quiet room, set a comfortable volume now and leave it. Listen to each recording to its end, as often as you like, and answer by your first impression.</p>"
            "<p>You may stop at any time: every answer is saved at once, and the same pseudonym goes on where you stopped. Please do not use your name.</p>"
        )
        self.widget.children = (self._html(intro), self.listener, self.start, self.message)

    def _on_start(self, _: object) -> None:
        try:
            self.session = open_session(self.prepared.folder, self.prepared.plan, self.listener.value.strip().lower())
        except (WorkbenchError, OSError) as error:
            self._say(str(error))
            return
        self._show_trial()

    def _show_trial(self) -> None:
        session: Session = self.session
        trial = session.current
        self.message.value = ""
        if trial is None:
            session.close()
            self.widget.children = (self._html(f"<h3>Thank you</h3><p>All {len(session.trials)} answers are saved.</p>"), self.again)
            return
        self._choice, self.next.disabled = "", True
        self.answers = {answer: self._answer_button(answer) for answer in answers_of(trial, self.prepared.plan)}
        import ipywidgets as widgets

        row = widgets.Box(tuple(self.answers.values()))
        row.add_class("wb-answers")
        buttons = widgets.Box((self.next, self.leave))
        buttons.add_class("wb-steps")
        self.widget.children = (self._html(self._progress(session)), self._html(self._question(trial)), self._html(self._players(trial)), row, buttons, self.message)
        self._shown_at = time.monotonic()

    def _answer_button(self, answer: str) -> ipywidgets.Button:
        return self._button(LABELS[answer], lambda _, chosen=answer: self._choose(chosen), "wb-answer")

    def _choose(self, answer: str) -> None:
        for name, button in self.answers.items():
            (button.add_class if name == answer else button.remove_class)("wb-chosen")
        self._choice, self.next.disabled = answer, False

    def _on_next(self, _: object) -> None:
        if not self._choice or self.session is None:
            return
        # A second click on the way must not answer the next trial.
        choice, self._choice = self._choice, ""
        try:
            self.session.answer(choice, elapsed_sec=time.monotonic() - self._shown_at)
        except WorkbenchError as error:
            self._choice = choice
            self._say(str(error))
            return
        self._show_trial()

    def _on_again(self, _: object) -> None:
        if self.session is not None:
            self.session.close()
            self.session = None
        self._show_start()

    def _say(self, text: str) -> None:
        self.message.value = f'<p class="wb-listen-error" role="alert">{escape(text)}</p>'

    def _progress(self, session: Session) -> str:
        done, total = session.done, len(session.trials)
        went_on = f" You went on after {session.resumed}." if session.resumed and session.resumed == done else ""
        return (
            f'<p class="wb-progress" aria-live="polite">{done + 1} of {total}.{went_on}</p>'
            f'<div class="wb-bar" aria-hidden="true"><i style="width:{100 * done / total:.1f}%"></i></div>'
        )

    def _question(self, trial: Trial) -> str:
        more = "" if trial.kind is TrialKind.MOS else f", {', '.join(NAMES[len(trial.items)]).lower()} play from the start"
        return f'<h3>{QUESTIONS[trial.kind]}</h3><p class="wb-keys">{KEYS.format(more=more)}</p>'

    def _players(self, trial: Trial) -> str:
        """The sounds in the order of the trial, without a word about them."""
        names = NAMES[len(trial.items)]
        return "".join(self._player(item, name) for item, name in zip(trial.items, names, strict=True))

    def _player(self, item: str, name: str) -> str:
        label = f"recording {name}".strip()
        try:
            source = audio_uri(self.prepared.audio_path(item).read_bytes())
        except OSError as error:
            return f'<p class="wb-listen-error" role="alert">{label} cannot be read: {escape(error.strerror or error)}. Please tell whoever runs the test.</p>'
        shown = f"<b>{name}</b>" if name else ""
        return f'<div class="wb-sound" data-name="{name.lower()}">{shown}<audio controls controlslist="nodownload" preload="auto" aria-label="{label}" src="{source}"></audio></div>'

    def _html(self, text: str) -> ipywidgets.HTML:
        import ipywidgets as widgets

        return widgets.HTML(f'<div class="wb">{text}</div>')


def taking(prepared: Prepared, config: ListeningConfig) -> list[object]:
    """What the notebook shows in the test's place: the test itself in a session that collects, else nothing, as its head says how to take it."""
    if not config.collect:
        return []
    if os.environ.get("WORKBENCH_RUN_FOLDER"):
        return [prose("Nobody is here to be asked: ratings are collected in JupyterLab, not in a batch run.")]
    return [Style(), ListeningPanel(prepared).widget]


def _asset(name: str) -> str:
    return resources.files("workbench.report").joinpath("assets", name).read_text(encoding="utf-8")
