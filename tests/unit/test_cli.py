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
