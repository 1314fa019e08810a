"""Keys: found where they may lie, refused where others may read them, and in nothing that a run writes."""

from __future__ import annotations

import copy
import json
import logging
import os
import pickle
import subprocess
import traceback
from pathlib import Path

import pytest

from tests.speech_servers import Reply, gemini_answer, inworld_answer, openai_answer, serving
from workbench import engines
from workbench.errors import ConfigError, EngineError, EngineUnavailableError
from workbench.report.provenance import provenance
from workbench.scan.validation import ValidationConfig, validate
from workbench.tts import SpeechRequest
from workbench.tts.keys import Secret, find_key, need_key

KEY = "sk-SECRETKEY-0123456789abcdefghij"
QUICK = {"first_wait_sec": 0.01, "longest_wait_sec": 0.1, "timeout_sec": 10.0, "attempts": 2}


@pytest.fixture(autouse=True)
def nobodys_keys(monkeypatch, tmp_path):
    for name in ("GEMINI_API_KEY", "INWORLD_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    project = tmp_path / "project" / "notebooks"
    project.mkdir(parents=True)
    (project.parent / "pyproject.toml").write_text("")
    monkeypatch.chdir(project)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return project.parent


def write_keys(path: Path, text: str = f'GEMINI_API_KEY = "{KEY}"\n', mode: int = 0o600) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def test_a_secret_shows_itself_nowhere():
    secret = Secret(KEY)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>40}", "%s %r" % (secret, secret), repr({"key": secret}), repr([secret])]
    assert not any(KEY in text for text in shown) and secret.reveal() == KEY
    for way in (pickle.dumps, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError):
            way(secret)
    assert secret.redacted(f"you sent {KEY}!") == "you sent ***!"


def test_the_environment_goes_before_the_project_and_that_before_the_users_folder(nobodys_keys, tmp_path, monkeypatch):
    assert find_key("GEMINI_API_KEY") is None
    write_keys(tmp_path / "config" / "workbench" / "secrets.toml", 'GEMINI_API_KEY = "from-user"\nINWORLD_API_KEY = "only-there"\n')
    assert find_key("GEMINI_API_KEY").reveal() == "from-user"
    write_keys(nobodys_keys / "secrets.toml", 'GEMINI_API_KEY = "from-project"\n')
    assert find_key("GEMINI_API_KEY").reveal() == "from-project" and find_key("INWORLD_API_KEY").reveal() == "only-there"
    monkeypatch.setenv("GEMINI_API_KEY", " from-environment ")
    assert find_key("GEMINI_API_KEY").reveal() == "from-environment"


def test_a_file_beyond_the_project_is_not_looked_at(nobodys_keys):
    write_keys(nobodys_keys.parent / "secrets.toml")
    assert find_key("GEMINI_API_KEY") is None


@pytest.mark.skipif(os.name != "posix", reason="file modes of POSIX")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(nobodys_keys, mode):
    write_keys(nobodys_keys / "secrets.toml", mode=mode)
    with pytest.raises(ConfigError, match="chmod 600") as caught:
        find_key("GEMINI_API_KEY")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("text", [f"GEMINI_API_KEY = {KEY}", f'GEMINI_API_KEY = "{KEY}', f'GEMINI_API_KEY = ["{KEY}"]', f'GEMINI_API_KEY = "{KEY} and more"', f'GEMINI_API_KEY = "{KEY}é"', 'GEMINI_API_KEY = ""'])
def test_a_file_that_holds_no_usable_key_is_told_without_its_content(nobodys_keys, text):
    write_keys(nobodys_keys / "secrets.toml", text)
    with pytest.raises(ConfigError) as caught:
        find_key("GEMINI_API_KEY")
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_no_key_says_where_it_may_be_put():
    with pytest.raises(EngineUnavailableError, match="GEMINI_API_KEY.*secrets.toml.*chmod 600"):
        need_key("GEMINI_API_KEY", engine="gemini")
    engine = engines.create("gemini", "tts")
    with pytest.raises(EngineUnavailableError):
        engine.load()


def test_git_ignores_the_file_of_keys():
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        assert "secrets.toml" in (root / ".gitignore").read_text().split()
        return
    for path in ("secrets.toml", "notebooks/secrets.toml"):
        assert subprocess.run(["git", "-C", str(root), "check-ignore", "-q", path], check=False).returncode == 0


def test_openais_key_goes_to_openai_only_and_never_unencrypted(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving(openai_answer) as server:
        engine = engines.create("openai-speech", "tts", base_urls=[f"{server.url}/v1"], **QUICK)
        engine.load()
        engine.speak([SpeechRequest("Hi.", "f1")])
        named = engines.create("openai-speech", "tts", base_urls=[f"{server.url}/v1"], key_name="OPENAI_API_KEY", **QUICK)
        named.load()
        named.speak([SpeechRequest("Hi.", "f1")])
    assert "authorization" not in server.seen[0][2] and server.seen[1][2]["authorization"] == f"Bearer {KEY}"
    for url in ("http://api.openai.com/v1", "http://10.0.0.7/v1"):
        with pytest.raises(ConfigError, match="never travels unencrypted"):
            engines.create("openai-speech", "tts", base_urls=[url], key_name="OPENAI_API_KEY").load()
    assert engines.create("openai-speech", "tts", base_urls=["https://api.openai.com/v1"]).key_name == "OPENAI_API_KEY"


def echoing(path, body, headers):
    """A server that puts the key it got into everything it sends."""
    key = headers.get("x-goog-api-key") or headers.get("authorization", "")
    return Reply(f"<html>you sent {key} {'x' * 150} {key} in {dict(headers)}</html>".encode(), 200, "text/html", headers={"x-echo": key})


def refusing(path, body, headers):
    reply = echoing(path, body, headers)
    reply.status = 500
    return reply


@pytest.mark.parametrize("answer", [echoing, refusing])
@pytest.mark.parametrize(("name", "voice", "variable"), [("gemini", "Puck", "GEMINI_API_KEY"), ("inworld", "Mark", "INWORLD_API_KEY"), ("openai-speech", "f1", "OPENAI_API_KEY")])
def test_a_key_that_a_server_echoes_is_in_no_error_and_no_log(name, voice, variable, answer, monkeypatch, caplog):
    monkeypatch.setenv(variable, KEY)
    caplog.set_level(logging.INFO)
    with serving(answer) as server:
        options = {"base_urls": [f"{server.url}/v1"], "key_name": variable} if name == "openai-speech" else {"base_url": server.url}
        engine = engines.create(name, "tts", **options, **QUICK)
        engine.load()
        with pytest.raises(EngineError) as caught:
            engine.speak([SpeechRequest("Hi.", voice)])
        told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert KEY in str(server.seen[0][2])
    for piece in (KEY, KEY[:16]):
        assert piece not in told and piece not in caplog.text and piece not in repr(engine.identity()) and piece.encode() not in pickle.dumps(caught.value)
    engine.close()
    assert KEY not in repr(vars(engine))


def test_a_whole_run_writes_the_key_nowhere(tmp_path, monkeypatch, caplog, capfd):
    for variable in ("GEMINI_API_KEY", "INWORLD_API_KEY"):
        monkeypatch.setenv(variable, KEY)
    caplog.set_level(logging.DEBUG)
    prompts = tmp_path / "texts.txt"
    prompts.write_text("Good morning to you.\nGood evening to you.\n?!\n")
    folder = tmp_path / "run"
    folder.mkdir()
    with serving(gemini_answer) as gemini, serving(inworld_answer) as inworld, serving(refusing) as broken:
        config = ValidationConfig(
            texts=str(prompts),
            voices=("gemini/m1", "inworld/m1", "openai-speech/f1"),
            engine_options={
                "gemini": {"base_url": gemini.url, **QUICK},
                "inworld": {"base_url": inworld.url, **QUICK},
                "openai-speech": {"base_urls": [f"{broken.url}/v1"], "key_name": "GEMINI_API_KEY", **QUICK},
            },
            precision=None,
            judges=("signal",),
            workers=1,
            database=str(folder / "db.sqlite"),
            speech_folder=str(folder / "speech"),
        )
        lines: list[str] = []
        done = validate(config, say=lines.append)
    used = [("tts", "gemini"), ("tts", "inworld"), ("tts", "openai-speech"), ("stt", "pocketsphinx")]
    made = provenance(used=used, fingerprints={s.name: s.fingerprint for s in done.stages}, dataset={"hash": done.dataset_hash}, seeds={"seed": 1}, wall_sec={})
    (folder / "provenance.json").write_text(json.dumps(made))
    (folder / "params.json").write_text(config.model_dump_json())
    (folder / "results.txt").write_text("\n".join([*lines, *map(repr, done.results)]))
    assert len(gemini.seen) == len(inworld.seen) == 2 and KEY in str(gemini.seen[0][2]) and KEY in str(broken.seen[0][2])
    assert sum(bool(r.clip.fault) for r in done.results) == 5
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert len(written) >= 8
    for piece in (KEY, KEY[:16]):
        assert not [path for path in written if piece.encode() in path.read_bytes()]
        out = capfd.readouterr()
        assert piece not in out.out + out.err and piece not in caplog.text
