"""The command line: every verb answers, every user error is one clear line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def workbench(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "workbench.cli", *arguments], cwd=cwd, capture_output=True, text=True, env=os.environ | environment, check=False)


def test_engines_are_listed_with_kind_state_and_both_licences(tmp_path):
    said = workbench("engines", cwd=tmp_path).stdout
    for name in ("flite", "espeak", "pocketsphinx", "pocketsphinx-grammar", "dnsmos", "signal"):
        assert f"\n{name} " in f"\n{said}"
    assert said.count("code: ") == said.count("weights: ") >= 6
    only = workbench("engines", "--kind", "judge", cwd=tmp_path).stdout
    assert "dnsmos" in only and "flite" not in only


def test_what_is_missing_comes_with_the_command_that_mends_it(tmp_path):
    bare = workbench("doctor", cwd=tmp_path, PATH=str(Path(sys.executable).parent))
    assert bare.returncode == 1
    assert any(line.startswith("missing") and "tts flite" in line and "apt-get install flite" in line for line in bare.stdout.splitlines())
    brief = workbench("doctor", "--brief", cwd=tmp_path, PATH=str(Path(sys.executable).parent))
    assert brief.returncode == 0 and len(brief.stdout.splitlines()) == 1 and "flite" in brief.stdout


def test_user_errors_are_one_line_without_a_traceback(tmp_path):
    for arguments, told in (
        (("run", "validaton"), "did you mean validation"),
        (("run", "validation", "--profile", "smok"), "did you mean smoke"),
        (("run", "validation", "seed=x"), "valid integer"),
        (("engines", "--kind", "jugde"), "did you mean judge"),
        (("run", "validation", "-p", "nowhere.yaml"), "nowhere.yaml"),
    ):
        done = workbench(*arguments, cwd=tmp_path)
        assert done.returncode == 1 and told in done.stderr and "Traceback" not in done.stderr, arguments
        assert len(done.stderr.strip().splitlines()) == 1


def test_a_manifest_that_does_not_exist_fails_the_run_with_the_reason(tmp_path):
    done = workbench("run", "validation", "manifest=nowhere", cwd=tmp_path)
    assert done.returncode == 1 and "nowhere" in done.stderr.splitlines()[-1]
    assert "failed" in workbench("runs", cwd=tmp_path).stdout


def test_no_runs_is_said_with_how_to_start_one(tmp_path):
    assert "workbench run validation" in workbench("runs", cwd=tmp_path).stdout


def test_a_scan_says_what_came_of_it_and_goes_on_where_it_stopped(tmp_path, clip_folder, project):
    join = {"WORKBENCH_ENGINE_MODULES": "tests.engines_for_tests", "PYTHONPATH": str(project)}
    engines = ("fast=counting", "precision=scripted-second", "judges=[signal, loudness]", "workers=1")
    first = workbench("scan", "clips", "--stages", "fast", *engines, cwd=tmp_path, **join)
    assert first.returncode == 0, first.stderr
    assert "3 clips, 0 failed, 0 left for another run; engines: fast" in first.stdout and "precision" not in first.stdout
    assert (tmp_path / "outputs" / "workbench.sqlite").exists()
    rest = workbench("scan", "clips", *engines, "--mos-mode", "all", "--order", "batch", cwd=tmp_path, **join)
    assert "scan (fast): 3/3 (100%) clips, 0 s; computed 0, found in store 3" in rest.stdout
    assert "heard by the precision engine: 3 of 3 clips, 100.0% (escalate: flagged)" in rest.stdout
    assert "judged for quality: 3 of 3 clips, 100.0% (mos_mode: all)" in rest.stdout
    listed = workbench("db", "info", "--db", "outputs/workbench.sqlite", cwd=tmp_path)
    assert listed.returncode == 0 and "3  clips-" in listed.stdout


def test_a_scan_that_cannot_begin_is_one_line(tmp_path, clip_folder):
    for arguments, told in (
        (("clips", "--stages", "precision"), "name fast"),
        (("clips", "--stages", "fast,mso"), "did you mean mos"),
        (("clips", "--escalate", "flaged"), "flagged"),
        (("clips", "flag_wr=0.1"), "did you mean flag_wer"),
        (("nowhere",), "nowhere"),
        (("clips", "--runner", "ray", "--ray-address", "ray://127.0.0.1:1", "--stages", "fast", "--db", "x.sqlite"), "PostgreSQL"),
    ):
        done = workbench("scan", *arguments, cwd=tmp_path)
        assert done.returncode == 1 and told in done.stderr and "Traceback" not in done.stderr, (arguments, done.stderr)
        assert len(done.stderr.strip().splitlines()) == 1


def test_a_password_is_refused_as_a_parameter_and_never_repeated(tmp_path, clip_folder):
    for verb in (("scan", "clips", "--db"), ("run", "validation")):
        for url in ("postgresql://me:hush-hush@nowhere/db", "postgresql://me@nowhere/db?password=hush-hush", "postgresql://me:hush/hush@hush@nowhere/db"):
            done = workbench(*verb, url if verb[0] == "scan" else f"database={url}", cwd=tmp_path)
            assert done.returncode == 1 and "PGPASSWORD" in done.stderr and "hush" not in done.stdout + done.stderr, done.stderr
    assert not list(tmp_path.glob("outputs/**/*.yaml"))
