"""Clips to listen to: words in their places, honest about what is left out."""

from dataclasses import replace

import pytest

from tests.browser.sample_report import HARD, HOSTILE, MISHEARD, result
from workbench.clips import Clip
from workbench.errors import AudioError
from workbench.report import players
from workbench.report.words import transcript_html, written_forms
from workbench.scan.results import ClipResult
from workbench.stt.base import Word
from workbench.text.tokens import Token
from workbench.verdicts.base import Insertion, Verdict

SILENCE = (
    b"RIFF$\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00@\x1f\x00\x00\x80>\x00\x00\x02\x00\x10\x00data"
    + (16_000).to_bytes(4, "little")
    + bytes(16_000)
)


def text_of(html: str) -> str:
    """What a reader without colours sees, without the marks."""
    import re
    from html import unescape

    return unescape(re.sub(r"<[^>]+>", "", re.sub(r"<sup.*?</sup>", "", html)))


def gallery(results, **options):
    return players.gallery(results, **({"audio_of": lambda r: SILENCE, "budget_bytes": 10**7, "title": "Clips"} | options)).html


def test_the_text_stands_as_written_around_its_marks():
    clip = result("a", HARD, SILENCE, misheard=MISHEARD)
    assert text_of(transcript_html(HARD, clip.tokens, clip.verdicts)) == HARD


def test_tokens_of_one_written_form_share_one_word_with_the_severest_verdict():
    clip = result("a", HARD, SILENCE, misheard=MISHEARD)
    html = transcript_html(HARD, clip.tokens, clip.verdicts)
    assert html.count("$3.50") == 2 and "wb-v-recogniser" in html[html.index("$3.50") - 250 : html.index("$3.50")]  # the label and the word
    assert 'three: fast heard free, precision heard three"' in html


def test_insertions_stand_where_they_were_heard():
    um = Insertion(1, Verdict.FILLER_WORD, (Word("um", 0.1, 0.2),), ())
    last = Insertion(2, Verdict.TTS_FAILURE, (Word("wall", 0.4, 0.5),), ())
    clip = result("a", "one two.", SILENCE, insertions=(um, last))
    assert text_of(transcript_html("one two.", clip.tokens, clip.verdicts)) == "one ‸+um two. ‸+wall"


@pytest.mark.parametrize("tokens", [[Token("a", -5, 99, "ab")], [Token("a", 0, 2, "ab"), Token("b", 1, 2, "b")], [Token("a", 7, 9, "x")]])
def test_tokens_in_odd_places_never_lose_or_double_text(tokens):
    forms = written_forms(tokens, 2)
    assert all(0 <= f.start <= f.end <= 2 for f in forms) and all(a.end <= b.start for a, b in zip(forms, forms[1:], strict=False))


def test_a_hostile_clip_stays_text():
    html = gallery(
        [result(HOSTILE, f"hello {HOSTILE}", SILENCE, voice=HOSTILE, misheard={1: (Verdict.AMBIGUOUS, HOSTILE, HOSTILE, None)})],
        title=HOSTILE,
    )
    assert "<script" not in html and "<img" not in html and html.count("<audio") == 1


def test_a_clip_that_does_not_fit_the_budget_says_so():
    size = len("data:audio/wav;base64,") + 4 * -(-len(SILENCE) // 3)
    html = gallery([result(str(i), "one two", SILENCE) for i in range(3)], budget_bytes=2 * size)
    assert html.count("<audio") == 2 and html.count("audio left out: budget") == 1


def test_audio_that_cannot_be_had_is_a_remark_not_a_crash():
    def refuse(_):
        raise AudioError("no such file", where="a.wav")

    assert "no audio: no such file; where: a.wav" in gallery([result("a", "one", SILENCE)], audio_of=refuse)
    assert "no audio" in gallery([result("a", "one", SILENCE)], audio_of=lambda r: None)


def test_a_clip_without_verdicts_shows_its_text_and_why():
    clip = ClipResult(Clip("x", "x", "some text", "d", fault="not UTF-8"), "0", None, (), None, None, None, {}, (), (), {})
    html = gallery([clip])
    assert "some text" in html and "not UTF-8" in html


def test_the_gallery_says_how_much_it_shows():
    assert "showing 1 of 120" in gallery([result("a", "one", SILENCE)], total=120)


def test_a_very_long_text_is_folded_and_its_evidence_bounded():
    text = "word " * 4000
    clip = result("long", text.strip(), SILENCE, misheard={i: (Verdict.TTS_FAILURE, "bird", "bird", 0.3) for i in range(900)})
    html = gallery([clip])
    assert "Text as written, 19,999 characters" in html and "showing 200 of 900" in html


@pytest.mark.parametrize(
    ("data", "kind"), [(b"ID3\x04", "audio/mpeg"), (b"\xff\xf3\x18", "audio/mpeg"), (b"OggS", "audio/ogg"), (b"fLaC", "audio/flac")]
)
def test_the_media_type_is_that_of_the_bytes(data, kind):
    assert f'src="data:{kind};base64,' in gallery([result("a", "one", SILENCE)], audio_of=lambda r: data)


def test_the_legend_explains_what_occurs_and_nothing_else():
    html = gallery([result("a", HARD, SILENCE, misheard=MISHEARD)])
    legend = html[html.index("wb-legend") : html.index("</dl>")]
    assert "TTS failure" in legend and "typo in text" not in legend


def test_without_a_second_opinion_none_is_shown():
    clip = result("a", HARD, SILENCE, misheard=MISHEARD)
    alone = replace(clip, verdicts=replace(clip.verdicts, precision_edits=None))
    html = gallery([alone])
    assert "Precision heard" not in html and "WER precision" not in html and "by the fast recogniser alone" in html
    assert "no second opinion" in html and "precision heard" not in html


def test_a_text_with_most_words_flagged_stays_readable():
    few = result("a", HARD, SILENCE, misheard=MISHEARD)
    many = result("a", HARD, SILENCE, misheard={i: (Verdict.AMBIGUOUS, "x", "y", 0.5) for i in range(20)})
    assert "✗ TTS</sup>" in gallery([few]) and ">?</sup>" in gallery([many]) and "ambig." not in gallery([many])
