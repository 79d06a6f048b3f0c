"""Places that fail: a disk that fills up, a folder that is only read, two runs at once, a path of odd letters.

The disks are real ones, file systems in memory that a user namespace may mount without root; where the kernel allows
none, these tests are left out. Doors of the table (`sottovoce doors --only disk`) limit the size of files instead.
"""

import hashlib
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

DOOR = [sys.executable, "-m", "sottovoce"]
ROOT = Path(__file__).parents[2]
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
COMMANDS = {
    "verilog": "verilog --config tiny",
    "synthetic": "synthetic --quiet --utterances 12 --speakers 2",
    "cosim": "cosim --test weight_buffer --config tiny",
}
SLOW = [pytest.mark.slow, pytest.mark.timeout(1800)]  # compiles a simulator
PLACES = [pytest.param(name, *place, id=f"{name} {what}", marks=[] if (name, what) == ("verilog", "full") else SLOW)
          for name in COMMANDS for what, *place in (("full", "size=256k", "No space left on device"),
                                                    ("read-only", "ro", "Read-only file system"))]


def on_a_disk(folder, options, command):
    """A command on a file system of its own in memory: (status, lines on stderr, files that it left)."""
    place = shlex.quote(str(folder))
    run = shlex.join([*DOOR, *shlex.split(command)])
    script = (f"mount -t tmpfs -o size=256k none {place} && cd {place} && mount -o remount,{options} {place} && "
              f"{{ HOME=$PWD {run}; echo status $?; find . -type f; }}")
    done = subprocess.run([*NAMESPACE, script], capture_output=True, text=True, cwd=ROOT)
    before, _, after = done.stdout.partition("status ")
    if not after:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()[-100:]}")
    status, *files = after.split()
    return int(status), [line for line in done.stderr.splitlines() if not line.startswith("tiny: ")], files


@pytest.mark.parametrize("name, options, says", PLACES)
def test_one_line_says_so_and_nothing_half_written_stays(name, options, says, tmp_path):
    folder = tmp_path / "volle größte Platte"
    folder.mkdir()
    status, lines, files = on_a_disk(folder, options, COMMANDS[name])
    assert status == 1 and len(lines) == 1 and lines[0].startswith("error: ") and says in lines[0], lines
    place = ".cache" if (name, options) == ("cosim", "ro") else "build"  # where builds go from a read-only folder
    assert place in lines[0], "which file is not said"
    whole = [file for file in files if not file.endswith((".lock", ".v"))]  # a block's Verilog that fitted is whole
    assert whole == []


def at_once(words, folder, count=2):
    """Statuses of a command started `count` times in a folder."""
    runs = [subprocess.Popen([*DOOR, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             env=None) for _ in range(count)]
    said = [run.communicate()[0] for run in runs]
    return [run.returncode for run in runs], said


def tree(folder):
    """Digest of every file below a folder."""
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.slow
def test_two_runs_of_verilog_at_once_leave_what_one_leaves(tmp_path):
    for name in ("one", "two Läufe"):
        (tmp_path / name).mkdir()
    words = ["verilog", "--config", "seed", "--out", "out"]
    assert at_once(words, tmp_path / "one", 1)[0] == [0]
    statuses, said = at_once(words, tmp_path / "two Läufe")
    assert statuses == [0, 0], said
    assert tree(tmp_path / "one") == tree(tmp_path / "two Läufe")


@pytest.mark.slow
def test_of_two_runs_of_synthetic_at_once_one_is_whole(tmp_path):
    """The folder appears whole under its name, once; the other run is told, or was too late to begin."""
    statuses, said = at_once(["synthetic", "--quiet", "--utterances", "3", "--speakers", "2", "--out", "out"], tmp_path)
    if any("espeak" in text for text in said):
        pytest.skip("no espeak-ng here")
    assert sorted(statuses) in ([0, 0], [0, 1]), said
    assert len(list((tmp_path / "out").glob("*.flac"))) == 3 and (tmp_path / "out" / "manifest.csv").is_file()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_runs_of_a_bench_at_once_build_once_and_both_pass(tmp_path):
    folder = tmp_path / "zwei Läufe"
    folder.mkdir()
    statuses, said = at_once(["cosim", "--test", "weight_buffer", "--config", "tiny"], folder)
    assert statuses == [0, 0], said
    assert all("all passed" in text for text in said)
    built = [p for p in (folder / "build/rtl/tiny-cocotb-weight_buffer").iterdir() if p.is_dir()]
    assert len(built) == 1


def test_a_reader_that_takes_nothing(tmp_path):
    with open("/dev/full", "w") as full:
        run = subprocess.run([*DOOR, "describe", "tiny"], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True)
    assert run.returncode == 1 and run.stderr.splitlines() == ["error: No space left on device"]
