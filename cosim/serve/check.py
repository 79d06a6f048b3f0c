"""The page that listens, in headless Chromium with a recording as its microphone; real time; and a soak of the server.

    sottovoce serve-check                        build/results/system.json, pictures in build/serve
    sottovoce serve-check --rtl --soak 60        the circuit too, and a minute of ill-behaved clients

Needs Chromium (Debian: `apt install chromium`) and `pip install 'sottovoce[serve,browser]'`.
"""

import asyncio
import resource
import statistics
import tempfile
import time
from pathlib import Path

import soundfile
import torch

from cosim import models, results
from cosim.report import browser
from cosim.rtl.live import LiveRtl
from cosim.serve import browsing, ears, running, soak, wire
from hw import store
from sw import options
from sw.data import audio
from sw.golden import LiveGolden, predict
from sw.phones import decode

MODEL = "rsnn-phone"
OUT = Path("build/serve")
FIRST_SPIKES_MS = 1000
GROWTH_MB = 30
PAGE = "serve"
SHOWN = {"light": "serve-phones.png", "dark": "serve-words.png"}  # theme of a picture -> its name in docs


def offline(model, wave):
    """(features, spikes, phones or words) of a whole recording, as `demo` and `evaluate` have them."""
    heard = models.hear(model, wave)
    prediction = predict(model, heard.utterances)
    if heard.keywords:
        return heard, prediction, [d.label for d in models.words(model, prediction.logits, len(wave))]
    phones = [phone for phone, _, _ in decode.decode(prediction.logits, model)]
    return heard, prediction, [phone for phone in phones if phone != "sil"]


class Checks:
    """Rows (check, value, limit, passed, command) that are printed as they come."""

    def __init__(self, command):
        self.command, self.rows = command, []

    def most(self, check, value, limit, why=""):
        """A value that may be at most the limit; `why` is printed where it is more."""
        self.rows.append((check, value, limit, bool(value <= limit), self.command))
        print(f"{'ok  ' if value <= limit else 'FAIL'} {check}: {value} (at most {limit})"
              f"{': ' + why if why and value > limit else ''}", flush=True)


def looks(checks, opened, out):
    """Every screen in both colours: before, while and after it listens."""
    faults, violations, wide = [], [], []
    for screen in browser.SCREENS:
        for theme in browser.THEMES:
            tab = opened(screen, theme)
            tab.choose(model="rsnn-keywords" if theme == "dark" else "rsnn")
            found = tab.violations()
            tab.page.click("#clip")
            tab.until("Listening")
            tab.page.wait_for_timeout(8000 if theme == "dark" else 4000)
            found += tab.violations()
            tab.page.screenshot(path=out / f"{screen}-{theme}.png", full_page=True)
            tab.until("Done")
            found += tab.violations()
            wide += [f"{screen}: {tab.too_wide()} too wide"] if tab.too_wide() > 0 else []
            faults += tab.faults
            violations += [f"{screen}, {theme}: {v}" for v in found]
            tab.page.context.close()
    checks.most("console errors and foreign requests", len(faults), 0, "; ".join(faults))
    checks.most("axe-core violations, any severity", len(violations), 0, "; ".join(violations))
    checks.most("screens wider than they are", len(wide), 0, "; ".join(wide))


def microphone(checks, opened, model, rounds=5):
    """The microphone's sound: spikes at once, and everything as offline on the very samples that the page sent."""
    delays, differences, tab = [], 0, opened()
    for turn in range(rounds):
        tab.page.focus("#microphone")
        tab.page.keyboard.press("Enter")
        tab.until("Listening")
        tab.until_marked("first-spikes")
        marks = tab.marks()
        delays.append(round(marks["first-spikes"] - marks["sound"]))
        if turn == 0:
            tab.page.wait_for_timeout(6000)
        tab.page.keyboard.press("Enter")  # on Stop, which has the focus
        tab.until("Done")
        if turn == 0:
            tab.until_finished()
            rate = tab.page.evaluate("new AudioContext().sampleRate")
            heard, prediction, phones = offline(model, audio.to_rate(tab.wire.sound(), rate))
            x, spikes = tab.wire.streamed()
            checks.most("frames that the page unpacks otherwise than the server packed them", mispacked(tab), 0)
            differences = (x != heard.utterances[0]).sum() if x.shape == heard.utterances[0].shape else x.size
            differences += sum(int((a != b).sum()) if a.shape == b.shape else a.size
                               for a, b in zip(spikes, prediction.spikes, strict=True))
            checks.most("microphone: features and spikes streamed that are not offline's", int(differences), 0,
                        f"{len(x)} frames streamed at {rate} Hz, {len(heard.utterances[0])} offline")
            checks.most("microphone: phones shown that are not offline's", unlike(tab.words(), phones), 0)
    checks.most(f"ms from sound to first spikes drawn, worst of {rounds}", max(delays), FIRST_SPIKES_MS)
    checks.most("ms from sound to first spikes drawn, median", statistics.median(delays), FIRST_SPIKES_MS)
    checks.most("console errors, microphone", len(tab.faults), 0, "; ".join(tab.faults))


def mispacked(tab):
    """Binary messages that the page's own code reads otherwise than `wire.unpack`."""
    wrong = 0
    for data in tab.wire.frames:
        read = tab.page.evaluate(
            "async ([data, sizes]) => { const { unpack } = await import('/page/listening.js');"
            " return unpack(new Uint8Array(data).buffer, sizes).map(frame =>"
            " [frame.number, ...frame.features, ...frame.layers.flatMap(layer => [...layer])]); }",
            [list(data), tab.wire.started])
        first, x, spikes, _ = wire.unpack(data, tab.wire.started)
        bits = [sum(layer[:, step].astype(int) << step for step in range(layer.shape[1])) for layer in spikes]
        wrong += read != [[first + t, *x[t].tolist(), *(n for layer in bits for n in layer[t].tolist())]
                          for t in range(len(x))]
    return wrong


def unlike(got, wanted):
    """Entries that differ, place by place, those too many or too few among them."""
    return sum(a != b for a, b in zip(got, wanted, strict=False)) + abs(len(got) - len(wanted))


def files(checks, opened, machines):
    """A file by the chooser, on each machine; a bad one; one that is no sound at all."""
    tab = opened()
    for machine in machines:
        for name, path in ((MODEL, models.CLIP), ("rsnn-keywords", models.CLIP.with_name("ten_people.flac"))):
            tab.choose(model=name, machine=machine)
            tab.page.set_input_files("#file", path)
            tab.until("Listening", browsing.COMPILING_MS)
            tab.until("Done")
            wanted = offline(models.load(name), audio.read(path))[2]
            got = [text.split()[0] for text in tab.words()]
            checks.most(f"file, {name}, {machine}: answers shown that are not offline's", unlike(got, wanted), 0,
                        f"{got}, not {wanted}; {tab.notice()}")
    tab.page.set_input_files("#file", {"name": "not-sound.wav", "mimeType": "audio/wav", "buffer": b"words" * 99})
    tab.page.wait_for_selector("#notice:not([hidden])")
    said = tab.notice()
    checks.most("bad file: not told by its name", int(not said.startswith("not-sound.wav: not readable")), 0, said)


def refused(checks, address):
    """A microphone that is refused: explained, and a recording can still be opened."""
    with browsing.opened(address, permitted=False) as opened:
        tab = opened()
        tab.page.click("#microphone")
        tab.page.wait_for_selector("#notice:not([hidden])")
        said = browsing.plain(tab.notice())
        checks.most("refused microphone: not explained", int("Allow it for this page" not in said), 0, said)
        checks.most("refused microphone: axe-core violations", len(found := tab.violations()), 0, "; ".join(found))


def real_time(checks, names, machine, wave):
    """Processor seconds a second of listening, front-end and decoder too; other work on the machine does not count.

    By the frames that were run: a keyword network hears silence before a recording and after it, which are no part of a
    second of listening.
    """
    for name in names:
        model = models.load(name)
        network = LiveRtl(model) if machine == "rtl" else LiveGolden(model)
        ear, before = ears.ear_of(model, network), time.process_time() + _children()
        pieces = [piece for start in range(0, len(wave), 800) for piece in ear.push(wave[start:start + 800]).pieces]
        pieces += ear.finish().pieces
        network.close()
        spent = (time.process_time() + _children() - before) * ear.frames_a_second / sum(len(p.x) for p in pieces)
        checks.most(f"processor seconds a second of sound, {name}, {machine}", round(spent, 3), 1)


def _children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def soaked(checks, seconds):
    """Ill-behaved clients in three rounds: memory after the third beside memory after the first, which warms up."""
    sizes, bad = [], {}
    with running.server("--model", MODEL, "--clients", "8") as server:
        for turn in range(3):
            done = asyncio.run(soak.soak(server.address, MODEL, models.CLIP.name, seconds / 3, seed=turn))
            sizes.append(server.megabytes())
            for deed, count in done.items():
                if "hung" in deed or "Error" in deed:
                    bad[deed] = bad.get(deed, 0) + count
            print(f"     round {turn + 1}: {sum(done.values())} deeds, {sizes[-1]:.0f} MB: "
                  f"{', '.join(f'{deed} {count}' for deed, count in sorted(done.items()))}", flush=True)
        name = f"soak, {seconds:g} s of 20 clients"
        checks.most(f"{name}: hung or cut off", sum(bad.values()), 0, str(bad))
        checks.most(f"{name}: MB of growth after the first third", round(sizes[2] - sizes[0], 1), GROWTH_MB)
        crashed = server.process.poll() is not None or any("Traceback" in line for line in server.said)
        checks.most(f"{name}: crashes", int(crashed), 0, "".join(server.said))


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--rtl", action="store_true", help="the Verilated circuit too; compiles it, a minute once")
    parser.add_argument("--soak", type=options.from_zero, default=0,
                        help="seconds of ill-behaved clients (default: none)")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the pictures (default: %(default)s)")
    store.add_publish(parser)


def run(args):
    """Run every check; 1 if one fails."""
    torch.set_num_threads(1)
    browser.need()
    args.out.mkdir(parents=True, exist_ok=True)
    checks, model, wave = Checks(args.command), models.load(MODEL), audio.read(models.CLIP)
    machines = ("golden", "rtl") if args.rtl else ("golden",)
    with tempfile.TemporaryDirectory() as scratch, running.server("--model", MODEL,
                                                                  *(["--rtl"] if args.rtl else [])) as server:
        sound = Path(scratch) / "microphone.wav"
        soundfile.write(sound, wave, audio.RATE, subtype="PCM_16")
        with browsing.opened(server.address, sound) as opened:
            microphone(checks, opened, model)
            files(checks, opened, machines)
            looks(checks, opened, args.out)
        refused(checks, server.address)
        for machine in machines:
            real_time(checks, ("rsnn", MODEL, "rsnn-keywords", "rsnn-delays"), machine, wave)
        checks.most("Ctrl-C: exit status", server.stop(), 0, "".join(server.said))
    if args.soak:
        soaked(checks, args.soak)
    note = ("headless Chromium, its microphone playing the embedded recording; 'offline' is the golden model on the "
            "whole; desktop 1280 and phone 390 wide, light and dark; pictures looked at")
    print(f"figures: {results.keep_checks(PAGE, checks.rows, {'command': args.command, 'note': note}, args.publish)}")
    if args.publish:
        for theme, name in SHOWN.items():
            store.write_atomically(store.results(name, True), (args.out / f"desktop-{theme}.png").read_bytes())
    print(f"pictures: {args.out}")
    return 0 if all(passed for *_, passed, _ in checks.rows) else 1
