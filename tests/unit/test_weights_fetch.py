"""Fetching weights: pinned, whole or continued, once, and with no token in any message."""

from __future__ import annotations

import hashlib
import json
import signal
import threading

import pytest

from tests.weights_for_tests import MODEL, TOKEN, Place, publisher, wait_until


@pytest.fixture
def server():
    with publisher() as held:
        yield held


@pytest.fixture
def place(tmp_path, server) -> Place:
    return Place(tmp_path, server)


def test_the_first_fetch_pins_main_and_later_ones_keep_to_that_commit(place, server):
    first = server.head
    done = place.weights("fetch", "tiny-hub")
    assert done.returncode == 0, done.stderr
    assert first in done.stdout and "2 files" in done.stdout
    lock = place.lock("tiny-hub")
    assert (lock["commit"], lock["revision"]) == (first, "main")
    assert [(f["path"], f["size_bytes"]) for f in lock["files"]] == [("config.json", 2), ("model.bin", len(MODEL))]
    assert lock["files"][1]["sha256"] == hashlib.sha256(MODEL).hexdigest()
    assert not (place.cache / "tiny-hub" / "README.md").exists() and not (place.cache / "tiny-hub" / "sub").exists()

    server.commit(2, {"config.json": b'{"new": 1}', "model.bin": MODEL + b"new"})
    (place.cache / "tiny-hub" / "config.json").unlink()
    again = place.weights("fetch", "tiny-hub")
    assert again.returncode == 0 and first in again.stdout
    assert (place.cache / "tiny-hub" / "config.json").read_bytes() == b"{}"


def test_what_is_whole_is_not_asked_for_again(place, server):
    for name in ("tiny-hub", "tiny-web"):
        assert place.weights("fetch", name).returncode == 0
    before = server.connections
    done = place.weights("fetch", "tiny-hub", "tiny-web")
    assert done.returncode == 0 and done.stdout.count("already there") == 2 and server.connections == before


def test_a_killed_fetch_from_the_web_goes_on_where_it_stopped(place, server):
    server.gate = threading.Event()
    process = place.start("fetch", "tiny-web")
    assert server.halfway.wait(60)
    part = place.cache / "tiny-web" / ".a.onnx.part"
    wait_until(lambda: part.exists() and part.stat().st_size == len(MODEL) // 2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (place.cache / "tiny-web" / "a.onnx").exists()
    server.gate.set()
    server.gate = None
    assert place.weights("verify", "tiny-web").returncode == 1
    done = place.weights("fetch", "tiny-web")
    assert done.returncode == 0, done.stderr
    assert server.got("a.onnx") == [None, f"bytes={len(MODEL) // 2}-"]
    assert (place.cache / "tiny-web" / "a.onnx").read_bytes() == MODEL
    assert sorted(p.name for p in (place.cache / "tiny-web").rglob("*") if p.is_file()) == ["a.onnx", "c.onnx", "weights.lock.json"]


def test_a_killed_fetch_from_the_hub_goes_on_where_it_stopped(place, server):
    first = server.head
    server.gate = threading.Event()
    process = place.start("fetch", "tiny-hub")
    assert server.halfway.wait(60)
    part = place.cache / "tiny-hub" / ".model.bin.part"
    wait_until(lambda: part.exists() and part.stat().st_size == len(MODEL) // 2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    server.gate.set()
    server.gate = None
    server.commit(4, {"config.json": b"{}", "model.bin": b"another"})
    lacking = place.python("from workbench.weights import resolve; resolve('tiny-hub')")
    assert "model.bin" in lacking.stderr and "workbench weights fetch tiny-hub" in lacking.stderr
    done = place.weights("fetch", "tiny-hub")
    assert done.returncode == 0, done.stderr
    # Each time the hub is asked and then, by its redirect, the place where it keeps large files.
    assert [asked for asked in server.got("model.bin") if asked] == [f"bytes={len(MODEL) // 2}-"] * 2
    assert len(server.got("model.bin")) == 4
    assert (place.cache / "tiny-hub" / "model.bin").read_bytes() == MODEL and place.lock("tiny-hub")["commit"] == first


def test_a_connection_that_breaks_is_taken_up_again_and_at_last_given_up_with_what_came_kept(place, server):
    server.stop_after["a.onnx"] = [1000, 500]
    assert place.weights("fetch", "tiny-web").returncode == 0
    assert server.got("a.onnx") == [None, "bytes=1000-", "bytes=1500-"]
    server.stop_after["a.onnx"] = [1000, 1000, 1000]
    failed = place.weights("fetch", "tiny-sum")
    assert failed.returncode == 1 and "to mend: fetch again" in failed.stderr and len(failed.stderr.strip().splitlines()) == 2
    assert not (place.cache / "tiny-sum" / "a.onnx").exists() and (place.cache / "tiny-sum" / ".a.onnx.part").stat().st_size == 3000
    assert place.weights("fetch", "tiny-sum").returncode == 0
    assert place.weights("verify", "tiny-sum").returncode == 0


def test_a_file_that_changed_at_its_source_meanwhile_is_not_patched_together(place, server):
    server.stop_after["a.onnx"] = [1000, 0, 0]
    assert place.weights("fetch", "tiny-web").returncode == 1
    server.files["a.onnx"] = other = MODEL[::-1]
    assert place.weights("fetch", "tiny-web").returncode == 0
    assert (place.cache / "tiny-web" / "a.onnx").read_bytes() == other


def test_a_source_without_ranges_is_read_from_the_start(place, server):
    server.ranges = False
    server.stop_after["a.onnx"] = [1000]
    assert place.weights("fetch", "tiny-web").returncode == 0
    assert (place.cache / "tiny-web" / "a.onnx").read_bytes() == MODEL


def test_what_the_catalogue_does_not_describe_is_refused_and_not_kept(place, server):
    server.files["a.onnx"] = b"something else"
    failed = place.weights("fetch", "tiny-sum")
    assert failed.returncode == 1 and hashlib.sha256(MODEL).hexdigest() in failed.stderr
    assert [p.name for p in (place.cache / "tiny-sum").iterdir()] == ["weights.lock.json"]
    server.files["a.onnx"] = MODEL
    assert place.weights("fetch", "tiny-sum").returncode == 0


def test_a_file_that_is_not_at_the_source_is_named(place, server):
    del server.files["b/c.onnx"]
    failed = place.weights("fetch", "tiny-web")
    assert failed.returncode == 1 and "b/c.onnx" in failed.stderr and "404" in failed.stderr
    server.commit(5, {"config.json": b"{}"})
    failed = place.weights("fetch", "tiny-hub")
    assert failed.returncode == 1 and "no file 'model.bin'" in failed.stderr


def test_a_disk_too_small_is_refused_before_and_a_full_one_is_said_and_continued(place, server):
    refused = place.weights("fetch", "huge")
    assert refused.returncode == 1 and "1000000000.0 GB needed" in refused.stderr and server.got("a.onnx") == []
    full = place.weights("fetch", "tiny-web", most_bytes=1_500_000)
    assert full.returncode == 1 and "make room on the disk" in full.stderr and "Traceback" not in full.stderr
    assert not (place.cache / "tiny-web" / "a.onnx").exists()
    assert place.weights("fetch", "tiny-web").returncode == 0
    assert (place.cache / "tiny-web" / "a.onnx").read_bytes() == MODEL
    full = place.weights("fetch", "tiny-hub", most_bytes=1_500_000)
    assert full.returncode == 1 and "make room on the disk" in full.stderr and "Traceback" not in full.stderr
    assert place.weights("fetch", "tiny-hub").returncode == 0


@pytest.mark.parametrize("name", ["tiny-hub", "tiny-web"])
def test_two_fetches_at_once_download_once(place, server, name):
    server.gate = threading.Event()
    first = place.start("fetch", name)
    assert server.halfway.wait(60)
    second = place.start("fetch", name)
    assert any("waiting" in second.stderr.readline() for _ in range(2))
    server.gate.set()
    told = [process.communicate(timeout=60)[0] for process in (first, second)]
    assert [process.returncode for process in (first, second)] == [0, 0]
    assert ": fetched," in told[0] and "already there" in told[1]
    path = "/model.bin" if name == "tiny-hub" else "/a.onnx"
    served = [url for method, url, _ in server.requests if method == "GET" and url.endswith(path) and "/resolve/" not in url]
    assert len(served) == 1


def test_the_token_goes_to_the_hub_alone_and_into_no_message(place, server):
    server.token = "another"
    refused = place.weights("fetch", "tiny-hub", HF_TOKEN=TOKEN, HF_DEBUG="0")
    assert refused.returncode == 1 and "HF_TOKEN" in refused.stderr
    assert f"Bearer {TOKEN}" in server.authorised and TOKEN not in refused.stdout + refused.stderr
    server.token, server.authorised[:], server.requests[:] = TOKEN, [], []
    done = place.weights("fetch", "tiny-hub", HF_TOKEN=TOKEN)
    assert done.returncode == 0 and TOKEN not in done.stdout + done.stderr
    elsewhere = [sent for (_, path, _), sent in zip(server.requests, server.authorised, strict=True) if path.startswith("/cdn/")]
    assert elsewhere == [None]
    assert not any(TOKEN.encode() in p.read_bytes() for p in place.folder.rglob("*") if p.is_file())


def test_an_address_without_tls_is_refused(place, server):
    refused = place.weights("fetch", "plain")
    assert refused.returncode == 1 and "https://" in refused.stderr and server.connections == 0


def test_another_revision_in_the_catalogue_is_another_fetch(place, server):
    assert place.weights("fetch", "tiny-web").returncode == 0
    server.files["a.onnx"] = b"of revision 8"
    place.write_sets(**{"7": "8"})
    told = json.loads(place.weights("list", "--json").stdout)
    assert [(row["state"], row["revision"]) for row in told if row["name"] == "tiny-web"] == [("outdated", "7")]
    identity = "from workbench.weights import identity_of; print(identity_of('tiny-web'))"
    before = place.python(identity).stdout
    assert "'revision': '7'" in before and "sha256" in before
    done = place.weights("fetch", "tiny-web")
    assert done.returncode == 0 and "revision 8" in done.stdout
    assert (place.cache / "tiny-web" / "a.onnx").read_bytes() == b"of revision 8"
    after = place.python(identity).stdout
    assert "'revision': '8'" in after and "sha256" in after
    (place.cache / "tiny-web" / "weights.lock.json").write_text("{")
    damaged = place.weights("fetch", "tiny-web")
    assert damaged.returncode == 1 and "damaged lock" in damaged.stderr and "delete it" in damaged.stderr


def test_a_source_that_cannot_be_reached_and_a_cache_that_cannot_be_written_are_one_clear_line(place):
    away = "http://127.0.0.1:9"
    place.write_sets(**{f"{place.server.url}/folder": f"{away}/folder"})
    in_the_way = place.folder / "file"
    in_the_way.write_text("")
    for name in ("tiny-hub", "tiny-sum"):
        unreachable = place.weights("fetch", name, HF_ENDPOINT=away)
        blocked = place.weights("fetch", name, WORKBENCH_WEIGHTS=str(in_the_way / "cache"))
        for failed, told in ((unreachable, "fetch again"), (blocked, "WORKBENCH_WEIGHTS")):
            assert failed.returncode == 1 and "EngineError" in failed.stderr and told in failed.stderr and "Traceback" not in failed.stderr
