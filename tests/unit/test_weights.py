"""Weights: the list tells all, verification reads every byte, offline nothing is asked of the network, an identity names what is loaded."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import pytest

from tests.weights_for_tests import MODEL, Place, publisher
from workbench import engines
from workbench.weights import CATALOGUE


@pytest.fixture
def server():
    with publisher() as held:
        yield held


@pytest.fixture
def place(tmp_path, server) -> Place:
    return Place(tmp_path, server)


def test_verify_reads_every_byte_and_a_fetch_mends_what_it_found(place):
    assert place.weights("fetch", "tiny-hub", "tiny-web").returncode == 0
    whole = place.weights("verify")
    assert whole.returncode == 0 and whole.stdout.count("ok  ") == 4
    model = place.cache / "tiny-hub" / "model.bin"
    for settled in (model, place.cache / "tiny-web" / "a.onnx"):
        os.utime(settled, (1_000_000_000, 1_000_000_000))
    assert place.weights("verify").returncode == 0
    with model.open("r+b") as file:
        file.write(b"\xff")
    os.utime(model, (1_000_000_000, 1_000_000_000))
    (place.cache / "tiny-web" / "b" / "c.onnx").unlink()
    broken = place.weights("verify", "--json")
    states = {f"{s['weights']}/{s['path']}": s["state"] for s in json.loads(broken.stdout)}
    assert broken.returncode == 1
    assert states == {"tiny-hub/config.json": "ok", "tiny-hub/model.bin": "changed", "tiny-web/a.onnx": "ok", "tiny-web/b/c.onnx": "missing"}
    assert place.weights("verify", "tiny-hub").stdout.count("changed") == 1
    assert place.weights("fetch", "tiny-hub", "tiny-web").returncode == 0
    assert place.weights("verify").returncode == 0 and model.read_bytes() == MODEL


def test_files_put_there_by_hand_are_used_and_said_to_be_unverified(place):
    folder = place.cache / "tiny-web"
    (folder / "b").mkdir(parents=True)
    (folder / "a.onnx").write_bytes(b"by hand")
    (folder / "b" / "c.onnx").write_bytes(b"by hand")
    told = place.weights("verify", "tiny-web")
    assert told.returncode == 0 and told.stdout.count("unverified") == 2
    read = "from workbench.weights import identity_of, resolve; print(resolve('tiny-web'), identity_of('tiny-web')['sha256'])"
    first = place.python(read).stdout
    assert str(folder) in first
    (folder / "a.onnx").write_bytes(b"by HAND")
    assert place.python(read).stdout != first


def test_nothing_there_is_missing_only_for_whoever_names_it(place):
    assert place.weights("verify").returncode == 0
    assert place.weights("verify", "tiny-web").returncode == 1


@pytest.mark.parametrize(
    "variable, name, files",
    [("WORKBENCH_OFFLINE", "tiny-hub", ("*.json", "model.bin")), ("HF_HUB_OFFLINE", "tiny-web", ("a.onnx", "b/c.onnx"))],
)
def test_offline_touches_no_network_and_says_which_file_is_missing_where(place, server, variable, name, files):
    refused = place.weights("fetch", name, **{variable: "1"})
    resolved = place.python(f"from workbench.weights import resolve; resolve({name!r})", **{variable: "1"})
    for told in (refused.stderr, resolved.stderr.splitlines()[-1]):
        assert str(place.cache / name) in told and all(file in told for file in files)
    assert refused.returncode == resolved.returncode == 1 and "offline" in refused.stderr
    assert server.connections == 0
    assert place.weights("fetch", name).returncode == 0
    before = server.connections
    assert before > 0
    assert "already there" in place.weights("fetch", name, **{variable: "1"}).stdout and server.connections == before


def test_the_list_tells_all_at_80_columns(place, server):
    assert place.weights("fetch", "tiny-hub").returncode == 0
    told = place.weights("list").stdout
    assert max(map(len, told.splitlines())) <= 80
    lines = [line.split() for line in told.splitlines()]
    for row, below in (
        (["tiny-hub", "Apache-2.0", server.head[:10], "2.56", "MB", "present"], ["for", "counting", "commercial:", "yes"]),
        (["tiny-web", "CC-BY-NC-4.0", "7", "2.56", "MB", "absent"], ["for", "signal,", "dnsmos", "commercial:", "no"]),
    ):
        assert lines[lines.index(row) + 1] == below
    assert str(place.cache) in told.replace("\n", "")
    rows = {row["name"]: row for row in json.loads(place.weights("list", "--json").stdout)}
    assert rows["tiny-hub"]["revision"] == server.head and rows["tiny-hub"]["folder"] == str(place.cache / "tiny-hub")
    assert rows["tiny-web"]["engines"] == ["signal", "dnsmos"] and rows["tiny-web"]["missing"] == ["a.onnx", "b/c.onnx"]


def test_engines_are_listed_with_the_state_of_their_weights(place):
    def told() -> list[str]:
        asked = [sys.executable, "-m", "workbench.cli", "engines", "--kind", "judge"]
        said = subprocess.run(asked, env=place.environment(), capture_output=True, text=True, check=True).stdout
        return [line.strip() for line in said.splitlines() if "tiny-web" in line]

    assert told() == ["weights tiny-web: run: workbench weights fetch tiny-web"] * 2
    assert place.weights("fetch", "tiny-web").returncode == 0
    assert told() == ["weights tiny-web: available"] * 2


def test_an_unknown_name_gets_the_nearest(place):
    for verb in ("fetch", "verify"):
        refused = place.weights(verb, "tiny-hbu")
        assert refused.returncode == 1 and "did you mean tiny-hub" in refused.stderr


def test_an_identity_is_the_pinned_commit_or_the_content_of_a_path(place, server, tmp_path):
    local = tmp_path / "mine"
    read = "import json; from workbench.weights import identity_of as of; "
    read += f"print(json.dumps([of('tiny-hub'), of('tiny-hub', local={str(local)!r})]))"
    absent = json.loads(place.python(read).stdout)
    assert absent == [{"weights": "tiny-hub", "revision": "main"}, {"weights": "tiny-hub", "revision": "local", "sha256": "absent"}]
    assert place.weights("fetch", "tiny-hub").returncode == 0
    local.mkdir()
    (local / "model.bin").write_bytes(b"mine")
    pinned, mine = json.loads(place.python(read).stdout)
    assert pinned == {"weights": "tiny-hub", "revision": server.head}
    os.utime(local / "model.bin", (1_000_000_000, 1_000_000_000))
    assert json.loads(place.python(read).stdout)[1] == mine
    (local / "model.bin").write_bytes(b"MINE")
    changed = json.loads(place.python(read).stdout)[1]
    assert changed["sha256"] != mine["sha256"]
    (local / "model.bin").rename(local / "other.bin")
    assert json.loads(place.python(read).stdout)[1]["sha256"] != changed["sha256"]


def test_gigabytes_are_hashed_once(monkeypatch, tmp_path):
    from workbench.weights.digest import remembered_sha256

    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(tmp_path / "cache"))
    file = tmp_path / "large.bin"
    file.write_bytes(b"one")
    os.utime(file, ns=(10**18, 10**18))
    first = remembered_sha256(file)
    # Same size and time, other bytes: only one who reads again could tell.
    file.write_bytes(b"two")
    os.utime(file, ns=(10**18, 10**18))
    assert remembered_sha256(file) == first == hashlib.sha256(b"one").hexdigest()
    assert remembered_sha256(file, afresh=True) == hashlib.sha256(b"two").hexdigest() == remembered_sha256(file)
    os.utime(file, ns=(10**18 + 1, 10**18 + 1))
    file.write_bytes(b"new")
    assert remembered_sha256(file) == hashlib.sha256(b"new").hexdigest()


def test_the_catalogue_is_in_order():
    assert len({found.name for found in CATALOGUE}) == len(CATALOGUE)
    known = {info.name for info in engines.known()}
    for found in CATALOGUE:
        assert found.engines and set(found.engines) <= known, found.name
        assert found.source.startswith(("hf:", "https://")) and found.revision and found.licence and found.size_bytes > 0, found.name
        assert found.files and all(file.sha256 is None or len(bytes.fromhex(file.sha256)) == 32 for file in found.files), found.name
