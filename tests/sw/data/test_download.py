"""Downloads from a server of one's own: whole, cut off and resumed, too long, wrong."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from sottovoce import cli
from sw.data import download
from sw.data.utterance import DataError

DATA = np.random.default_rng(0).bytes(200_000)


@pytest.fixture
def server():
    """A server on this machine that honours Range; `cuts` are the bytes after which it hangs up, request by request."""
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            asked = self.headers.get("Range")
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
            self.server.asked.append(asked)
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(DATA) - 1}/{len(DATA)}")
            self.send_header("Content-Length", str(len(DATA) - start))
            self.end_headers()
            cut = self.server.cuts.pop(0) if self.server.cuts else len(DATA)
            self.wfile.write(DATA[start:start + cut])

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.ranges, server.cuts, server.asked = True, [], []
    server.archive = download.Archive(f"http://127.0.0.1:{server.server_port}/a.tar.gz", len(DATA),
                                      hashlib.sha256(DATA).hexdigest())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_a_transfer_that_is_cut_off_goes_on(server, tmp_path):
    server.cuts = [80_000, 50_000]
    for have in (80_000, 130_000):
        with pytest.raises(DataError, match=f"{have} bytes, wanted 200000: run again to go on") as error:
            download.fetch(server.archive, tmp_path / "a.tar.gz", quiet=True)
        assert "remove" not in str(error.value) and (tmp_path / "a.tar.gz").stat().st_size == have
    assert download.fetch(server.archive, tmp_path / "a.tar.gz", quiet=True).read_bytes() == DATA
    assert server.asked == [None, "bytes=80000-", "bytes=130000-"]
    download.fetch(server.archive, tmp_path / "a.tar.gz", quiet=True)
    assert len(server.asked) == 3  # it is all there: checked, not asked for


def test_a_server_without_ranges_begins_anew(server, tmp_path):
    server.ranges = False
    (tmp_path / "a.tar.gz").write_bytes(DATA[:1000])
    assert download.fetch(server.archive, tmp_path / "a.tar.gz", quiet=True).read_bytes() == DATA


@pytest.mark.parametrize("there, said", [(DATA + b"x", "200001 bytes, wanted 200000"), (b"x" * 200_000, "SHA-256"),
                                         (b"x" * 1000, "SHA-256")])
def test_what_cannot_become_right_is_to_be_removed(server, tmp_path, there, said):
    (tmp_path / "a.tar.gz").write_bytes(there)
    with pytest.raises(DataError, match=f"{said}.*: remove it and download again"):
        download.fetch(server.archive, tmp_path / "a.tar.gz", quiet=True)


def test_a_copy_that_is_short_is_not_to_be_removed(server, tmp_path, capsys, monkeypatch):
    (tmp_path / "copy.tar.gz").write_bytes(DATA[:-1])
    monkeypatch.setattr(download, "ARCHIVES", {"2": server.archive})
    assert cli.main(["download", "--archive", str(tmp_path / "copy.tar.gz"), "--out", str(tmp_path / "data")]) == 1
    err = capsys.readouterr().err
    assert "199999 bytes, wanted 200000: not all of it" in err and "remove" not in err and err.count("\n") == 1


def test_no_server_is_one_line(server, tmp_path, capsys, monkeypatch):
    server.shutdown()
    server.server_close()
    monkeypatch.setattr(download, "ARCHIVES", {"2": server.archive})
    assert cli.main(["download", "--out", str(tmp_path / "data"), "--quiet"]) == 1
    err = capsys.readouterr().err
    assert "not downloaded" in err and "run again to go on" in err and err.count("\n") == 1
