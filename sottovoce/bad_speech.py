"""Bad inputs that are speech: recordings, labels, and folders of both."""

import io

import numpy as np
import soundfile

from sottovoce.bad_inputs import Case, file, nothing
from sw import registry

PHONES, SPARK = "rsnn-phone", "sparknet-4"
CLIP = registry.WEIGHTS.parent / "clips" / "ten_words.flac"


# --- recordings ----------------------------------------------------------------------------------------------------
def coded(wave, rate=16000, kind="WAV", subtype="FLOAT"):
    held = io.BytesIO()
    soundfile.write(held, wave, rate, subtype=subtype, format=kind)
    return held.getvalue()


def header(**changes):
    """A second of a WAV with fields of its header changed: channels, rate, block, bits, each as written."""
    places = {"tag": (20, 2), "channels": (22, 2), "rate": (24, 4), "block": (32, 2), "bits": (34, 2), "size": (40, 4)}
    data = bytearray(coded(np.sin(np.arange(16000) / 5) / 3, subtype="PCM_16"))
    for name, value in changes.items():
        at, size = places[name]
        data[at:at + size] = value.to_bytes(size, "little")
    return bytes(data)


def recordings():
    """(name, bytes, says) of files that are no recording."""
    tone = np.sin(np.arange(16000) / 5).astype(np.float32) / 3
    flac, wav = coded(tone, kind="FLAC", subtype="PCM_16"), header()
    yield from (("empty", b"", "x.wav"), ("text", b"hello\n", "readable"), ("a header alone", wav[:44], "x.wav"),
                ("half a header", wav[:30], "x.wav"), ("cut off", wav[:9000], "truncated"),
                ("FLAC cut off", flac[:len(flac) // 2], "x.wav"), ("FLAC's header", flac[:42], "x.wav"),
                ("10 ms", coded(tone[:160]), "too few"), ("no sample", coded(tone[:0]), "too few"),
                ("NaN", coded(np.where(np.arange(16000) == 9, np.nan, tone)), "finite"),
                ("infinite", coded(np.where(np.arange(16000) == 9, np.inf, tone)), "finite"),
                ("opposite channels", coded(np.stack([tone, -tone], 1)), "cancel"),
                ("a rate of 0", header(rate=0), "x.wav"), ("a rate of 1", header(rate=1), "x.wav"),
                ("a rate of 2^31 - 1", header(rate=2 ** 31 - 1), "x.wav"),
                ("a rate of 1,000,003", header(rate=1000003), "x.wav"), ("no channel", header(channels=0), "x.wav"),
                ("65,535 channels", header(channels=65535, block=65535), "x.wav"), ("0 bits", header(bits=0), "x.wav"),
                ("a format that nobody knows", header(tag=0x7777), "x.wav"),
                ("more samples than there are", header(size=2 ** 30), "truncated"),
                ("a PNG", b"\x89PNG\r\n\x1a\n" + bytes(99), "readable"),
                ("an MP3 of zeros", b"ID3" + bytes(999), "x.wav"),
                ("noise", np.random.default_rng(0).bytes(5000), "readable"), ("zeros", bytes(5000), "readable"))


# --- folders of speech ---------------------------------------------------------------------------------------------
def corpus(manifest, phn="0 16000 sil\n", audio=None):
    """Prepares `d`: a folder with this manifest, one recording `a.wav` and its labels."""
    def prepare(folder):
        place = folder / "d"
        place.mkdir()
        (place / "a.wav").write_bytes(header() if audio is None else audio)
        (place / "a.phn").write_text(phn)
        if manifest is not None:
            (place / "manifest.csv").write_bytes(manifest)
    return prepare


HEAD = b"path,speaker,phones,split\n"


def folders():
    """(name, line, says, prepare)."""
    words, phones = (("evaluate", m, "--data", "d", "--quiet") for m in (SPARK, PHONES))
    both = b"path,speaker,phones,split,label\n"
    for line in (words, phones):
        for text, data, says in (
                ("no manifest", None, "d"), ("empty manifest", b"", "d"), ("a heading alone", HEAD, "d"),
                ("not UTF-8", HEAD + b"\xff\xfe,a,b,test\n", "d"), ("other columns", b"a,b\n1,2\n", "d"),
                ("NUL", b"\0" * 99, "d"), ("names what is not there", both + b"b.wav,s,b.phn,test,yes\n", "b."),
                ("leads out", both + b"../../x.wav,s,../a.phn,test,yes\n", "leads out"),
                ("an absolute path", both + b"/etc/passwd,s,/etc/passwd,test,yes\n", "leads out"),
                ("a folder for a file", both + b".,s,.,test,yes\n", "d")):
            yield f"{text}, {line[1]}", line, says, corpus(data)
    for text, phn in (("empty", ""), ("no numbers", "a b c\n"), ("backwards", "9 3 sil\n"),
                      ("an odd phone", "0 9 qq\n"),
                      ("overlapping", "0 9 sil\n5 16000 aa\n"), ("too short", "0 900 sil\n"), ("NUL", "\0\0\0\n"),
                      ("of 10^30", f"0 {10 ** 30} sil\n")):
        yield f"labels {text}", phones, "a.phn", corpus(HEAD + b"a.wav,s,a.phn,test\n", phn)
    rows = b"path,label,split\n"
    for text, row in (("an unknown split", b"a.wav,yes,exam\n"), ("no label", b"a.wav,,test\n"),
                      ("no path", b",yes,test\n")):
        yield f"{text}, {SPARK}", words, "d", corpus(rows + row)
    yield "a clip that is no audio", words, "d", corpus(rows + b"a.wav,yes,test\n", audio=b"noise")
    for text, data in (("missing", None), ("empty", b""), ("other columns", b"a,b\n1,2\n"),
                       ("text", b"start,end,label\na,b,c\n")):
        yield (f"truth {text}", ("listen", str(CLIP), "--model", SPARK, "--truth", "t.csv"), "t.csv",
               file("t.csv", data) if data is not None else nothing)


def cases():
    """All of them."""
    for name, data, says in recordings():
        yield Case("audio", name, ("listen", "x.wav", "--model", SPARK), says, file("x.wav", data))
        yield Case("audio", f"{name}, phones", ("listen", "x.wav", "--model", PHONES), says, file("x.wav", data))
    yield from (Case("folders of speech", name, line, says, prepare) for name, line, says, prepare in folders())
