"""Speech Commands from its public address, checked and unpacked.

    sottovoce download --version 2 --out FOLDER

The archive's size and SHA-256 are checked before anything is unpacked; a download that was cut off goes on where it
stopped. Everything is unpacked beside the target and renamed, so that FOLDER is whole or absent.
"""

import hashlib
import http.client
import shutil
import tarfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from sw.data.utterance import DataError

BASE = "http://download.tensorflow.org/data/"
CHUNK = 1 << 20


@dataclass(frozen=True)
class Archive:
    """A published file: its address, bytes, and SHA-256."""

    url: str
    size: int
    sha256: str


ARCHIVES = {
    "1": Archive(BASE + "speech_commands_v0.01.tar.gz", 1489096277,
                 "743935421bb51cccdb6bdd152e04c5c70274e935c82119ad7faeec31780d811d"),
    "2": Archive(BASE + "speech_commands_v0.02.tar.gz", 2428923189,
                 "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58"),
}


def fetch(archive, path, quiet=False):
    """Download to `path`, going on from what is there.

    Raises `DataError` where the transfer ends early (what has come is kept) or the whole's size or hash differ.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    have = path.stat().st_size if path.is_file() else 0
    if have < archive.size:
        request = urllib.request.Request(archive.url, headers={"Range": f"bytes={have}-"} if have else {})
        try:
            with urllib.request.urlopen(request, timeout=60) as source, \
                    path.open("ab" if have and source.status == 206 else "wb") as target, \
                    tqdm(total=archive.size, initial=target.tell(), unit="B", unit_scale=True, desc=path.name,
                         disable=quiet) as bar:
                while block := source.read(CHUNK):
                    target.write(block)
                    bar.update(len(block))
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            reason = getattr(error, "reason", error)
            raise DataError(f"{archive.url}: not downloaded: {reason}; run again to go on, or unpack a copy of "
                            "your own and name its folder with --data") from None
        have = path.stat().st_size
        if have < archive.size:  # a server that hangs up in the middle is no error to urllib
            raise DataError(f"{path}: cut off: {have} bytes, wanted {archive.size}: run again to go on")
    verify(archive, path)
    return path


def verify(archive, path):
    """Raise `DataError` unless the file has the published size and SHA-256."""
    path = Path(path)
    size = path.stat().st_size
    if size != archive.size:
        advice = "not all of it: download the rest" if size < archive.size else "remove it and download again"
        raise DataError(f"{path}: {size} bytes, wanted {archive.size}: {advice}")
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while block := source.read(CHUNK):
            digest.update(block)
    if digest.hexdigest() != archive.sha256:
        raise DataError(f"{path}: SHA-256 {digest.hexdigest()} differs from the published {archive.sha256}: "
                        "remove it and download again")


def unpack(path, folder):
    """Unpack an archive as `folder`, whole or not at all; links and paths outside it are refused."""
    folder = Path(folder)
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        with tarfile.open(path) as source:
            source.extractall(part, filter="data")
        part.rename(folder)
    except (tarfile.TarError, OSError) as error:
        raise DataError(f"{path}: not unpacked as {folder}: {error}") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--version", choices=sorted(ARCHIVES), default="2", help="1: 30 words, 2: 35 words")
    parser.add_argument("--out", default="build/speech_commands", help="folder to make")
    parser.add_argument("--archive", help="a copy of the .tar.gz, in place of downloading")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(args):
    """Download or take the copy, check, unpack."""
    archive, folder = ARCHIVES[args.version], Path(args.out)
    if folder.exists():
        raise DataError(f"{folder}: is there already; name another folder or remove it")
    if args.archive:
        path = Path(args.archive)
        if not path.is_file():
            raise DataError(f"{path}: no such archive")
        verify(archive, path)
    else:
        path = fetch(archive, folder.with_name(archive.url.rsplit("/", 1)[1]), args.quiet)
    unpack(path, folder)
    print(f"{folder}: Speech Commands v0.0{args.version}")
    return 0
