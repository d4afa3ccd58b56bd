"""Mirrors that misbehave, each played by a server of this machine: the next is asked, and what is kept is the file."""

import gzip
import http.server
import os
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import partial
from hashlib import md5
from types import SimpleNamespace
from urllib.parse import urlsplit
from urllib.request import install_opener

import pytest

from aae_core.data import DataError, cache_folder, downloads
from aae_core.data.downloads import File
from aae_core.data.sources import Source

CONTENT = os.urandom(40_000)
NAMES = ("one", "two")


def packed(path: str) -> bytes:
    return gzip.compress(path.encode() + CONTENT, mtime=0)


SLOWLY = {
    "slow headers": b"HTTP/1.0 200 OK\r\nX-Long: ",
    "slow lengths": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",  # of the pieces in which it comes
}
"""How answers begin of which single bytes follow."""


class Mirror(http.server.BaseHTTPRequestHandler):
    """Answers as its server's ``mode`` says; the server counts what it was asked."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked.append(self.path)
        mode, body = self.server.mode, packed(urlsplit(self.path).path)
        if mode == "busy at first":
            mode = "whole" if len(self.server.asked) > 1 else "503"
        if mode.isdigit():
            return self.send_error(int(mode))
        if mode == "silent":
            return self.server.over.wait(20)
        if mode in SLOWLY:
            self.wfile.write(SLOWLY[mode])
            return self.dribble(b"x" * 1000)
        if mode.startswith("redirect"):
            self.send_response(302)
            self.send_header("Location", {"redirect": "http://127.0.0.1:9/", "redirect in a circle": self.path}[mode])
            return self.end_headers()
        body = {
            "page": b"<html><body>Please log in to the network</body></html>",
            "nothing": b"",
            "altered": body[:-1] + bytes([body[-1] ^ 1]),
        }.get(mode, body)
        self.send_response(200)
        if mode != "endless":
            self.send_header("Content-Length", str(10**12 if mode == "huge" else len(body)))
        self.end_headers()
        while mode in ("endless", "huge") and not self.server.over.is_set():
            self.server.sent += self.wfile.write(bytes(2**16))
        if mode == "slow":
            return self.dribble(body)
        if mode == "late":  # until somebody has waited for it
            self.server.over.wait(600)
        return self.wfile.write(body[: len(body) // 2] if mode == "half" else body)

    def dribble(self, content):
        for k in range(len(content)):
            if self.server.over.wait(0.05):
                return
            self.wfile.write(content[k : k + 1])


@contextmanager
def serving(mode):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.mode, server.asked, server.over, server.sent = mode, [], threading.Event(), 0
    server.handle_error = lambda *_: None  # who asked has hung up
    server.address = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def in_haste(monkeypatch, tmp_path):
    monkeypatch.setenv("AAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(downloads, "PATIENCE", 0.5)
    monkeypatch.setattr(downloads, "PAUSES", (0.0, 0.05))


def source(*servers) -> Source:
    def files():
        return {
            name: File(
                tuple(f"{server.address}{name}.gz" for server in servers),
                md5(packed(f"/{name}.gz")).hexdigest(),
                len(CONTENT) + 10_000,
            )
            for name in NAMES
        }

    def check(path, files):
        if not path.exists() or path.read_bytes() != f"/{path.name}.gz".encode() + CONTENT:
            raise DataError(f"{path}: not the file.")

    return Source("Noise", "noise/raw", NAMES, files, check)


def files_of_cache() -> set[str]:
    return {path.name for path in cache_folder().rglob("*") if path.is_file() and path.suffix != ".lock"}


FAULTS = [
    "403",
    "404",
    "503",
    "half",
    "page",
    "nothing",
    "altered",
    "redirect",
    "redirect in a circle",
    "slow",
    "slow headers",
    "slow lengths",
    "endless",
    "huge",
    "silent",
]


@pytest.mark.parametrize("mode", FAULTS)
def test_after_a_mirror_that_misbehaves_the_next_is_asked(mode):
    with serving(mode) as bad, serving("whole") as good:
        place, told, _ = source(bad, good).find(None, True, pytest.fail)
        assert {path.name for path in place.iterdir()} == set(NAMES) and "downloaded" in told
        assert set(bad.asked) == {"/one.gz"}  # the second file is asked of the good one first
        assert files_of_cache() == set(NAMES)


@pytest.mark.slow
@pytest.mark.soak
def test_every_kind_of_faulty_mirror_is_survived(record_figures):
    for mode in FAULTS:
        test_after_a_mirror_that_misbehaves_the_next_is_asked(mode)
        shutil.rmtree(cache_folder())
    record_figures("faulty mirrors", kinds=FAULTS)


def test_a_set_that_no_mirror_gives_is_refused_with_each_ones_reason_and_nothing_stays():
    with serving("403") as first, serving("page") as second, pytest.raises(DataError) as caught:
        source(first, second).find(None, True, pytest.fail)
    assert all(word in str(caught.value) for word in ("403", "checksum", "--data DIR", "one"))
    assert files_of_cache() == set() and len(first.asked) == len(second.asked) == 1


def test_a_proxy_is_asked_for_a_mirror_that_cannot_be_reached_without(monkeypatch):
    install_opener(None)  # it keeps what the environment said when it was made
    with serving("whole") as proxy:
        monkeypatch.setenv("http_proxy", proxy.address)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        source(SimpleNamespace(address="http://mirror.invalid/")).find(None, True, pytest.fail)
        assert proxy.asked == ["http://mirror.invalid/one.gz", "http://mirror.invalid/two.gz"]
    install_opener(None)


def test_a_mirror_that_was_busy_is_asked_again():
    with serving("busy at first") as mirror:
        source(mirror).find(None, True, pytest.fail)
        assert len(mirror.asked) == 3


@pytest.mark.parametrize("mode", ["slow", "slow headers", "slow lengths", "silent"])
def test_the_whole_has_a_limit(monkeypatch, mode):
    monkeypatch.setattr(downloads, "LIMIT", 0.3)
    monkeypatch.setattr(downloads, "PATIENCE", 30)
    with serving(mode) as mirror, pytest.raises(DataError, match="too slow"):
        source(mirror).find(None, True, pytest.fail)


@pytest.mark.parametrize("mode", ["endless", "huge"])
def test_no_more_is_taken_than_the_file_may_have(mode):
    with serving(mode) as mirror, pytest.raises(DataError, match=r"\bone .*50,000"):
        source(mirror).find(None, True, pytest.fail)
    assert len(mirror.asked) == 1 and mirror.sent < 2**24  # what the system takes in ahead
    assert files_of_cache() == set()


def test_those_that_begin_at_once_share_one_download(monkeypatch):
    monkeypatch.setattr(downloads, "PATIENCE", 600)
    with serving("late") as mirror:
        found, said = [], []

        def announce(line):  # who waits for long says so
            said.append(line)
            mirror.over.set()

        find = partial(source(mirror).find, None, True, announce)
        threads = [threading.Thread(target=lambda: found.append(find())) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 3 and sorted(mirror.asked) == ["/one.gz", "/two.gz"]
        assert said and all("another process" in line for line in said)


def test_what_a_killed_download_left_is_removed():
    left = cache_folder() / "noise" / "raw" / "partial-dead"
    left.mkdir(parents=True)
    (left / "one.gz").write_bytes(b"half")
    with serving("whole") as mirror:
        source(mirror).find(None, True, pytest.fail)
    assert files_of_cache() == set(NAMES) and not left.exists()


def test_a_read_only_cache_is_read_and_one_that_lacks_a_file_is_refused_in_words(tmp_path):
    with serving("whole") as mirror:
        place, *_ = source(mirror).find(None, True, pytest.fail)
        mounted = subprocess.run(["mount", "--bind", tmp_path, tmp_path], capture_output=True).returncode == 0
        if not mounted:
            pytest.skip("mounting is not allowed here")
        try:
            subprocess.run(["mount", "-o", "remount,bind,ro", tmp_path], check=True)
            assert source(mirror).find(None, True, pytest.fail)[0] == place
            subprocess.run(["mount", "-o", "remount,bind,rw", tmp_path], check=True)
            (place / "two").write_bytes(b"damaged")
            subprocess.run(["mount", "-o", "remount,bind,ro", tmp_path], check=True)
            with pytest.raises(DataError, match=r"cache .*\btwo\b.*--data DIR"):
                source(mirror).find(None, True, pytest.fail)
        finally:
            subprocess.run(["umount", tmp_path], check=True)


def test_a_terminal_sees_a_bar_and_a_log_none(monkeypatch, capsys):
    with serving("whole") as mirror:
        source(mirror).find(None, True, pytest.fail)
        assert capsys.readouterr().err == ""
        (cache_folder() / "noise" / "raw" / "one").unlink()
        monkeypatch.delenv("TQDM_DISABLE", raising=False)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        source(mirror).find(None, True, pytest.fail)
    assert "one.gz" in capsys.readouterr().err
