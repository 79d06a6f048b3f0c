"""The page in headless Chromium, which hears a recording as its microphone: what a person would see, and what was sent.

Chromium is the system's (`cosim.report.browser` finds it); playwright drives it and brings none of its own here.
"""

import contextlib
import re
from dataclasses import dataclass, field

import numpy as np

from cosim.report import browser
from cosim.serve import wire

PATIENCE_MS = 60_000
COMPILING_MS = 600_000  # a circuit that is built first, on a busy machine
WARM = "() => document.querySelectorAll('#model option').length > 1"


@dataclass
class Wire:
    """What went over the page's socket: sound sent, the message `started`, frames received in order, `finished` or not.

    Playwright tells of it later than the page knows: wait with `Tab.until_finished` before looking.
    """

    sent: list = field(default_factory=list)
    started: dict = None
    frames: list = field(default_factory=list)
    finished: bool = False

    def watch(self, socket):
        socket.on("framesent", lambda data: self.sent.append(data) if isinstance(data, bytes) else None)
        socket.on("framereceived", self._received)

    def _received(self, data):
        if isinstance(data, bytes):
            self.frames.append(data)
        elif '"started"' in data[:40]:
            self.started, self.frames, self.sent, self.finished = wire.said(data), [], [], False
        elif '"finished"' in data[:40]:
            self.finished = True

    def sound(self):
        """Float32 samples that the page sent."""
        return np.frombuffer(b"".join(self.sent), "<f4")

    def streamed(self):
        """(features, spikes of each layer) of all frames."""
        parts = [wire.unpack(data, self.started) for data in self.frames]
        return (np.concatenate([x for _, x, *_ in parts]),
                [np.concatenate(layer) for layer in zip(*(spikes for _, _, spikes, _ in parts), strict=True)])


class Tab:
    """A page of the server at `address`, of its own size and theme; `faults` are its console's and foreign requests."""

    def __init__(self, context, address):
        self.page, self.wire, self.faults = context.new_page(), Wire(), []
        page = self.page
        page.on("console", lambda m: self.faults.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith((address, "blob:")) else self.faults.append(r.url))
        page.on("websocket", self.wire.watch)
        page.goto(address)
        page.wait_for_function(WARM, timeout=PATIENCE_MS)

    def choose(self, **selects):
        for name, value in selects.items():
            if self.page.input_value(f"#{name}") != value:  # what has one choice alone cannot be changed
                self.page.select_option(f"#{name}", value)

    def until(self, status, patience_ms=PATIENCE_MS):
        """Wait until the page's status begins so."""
        self.page.wait_for_function("text => document.getElementById('status').textContent.startsWith(text)",
                                    arg=status, timeout=patience_ms)

    def until_finished(self):
        """Wait until all that went over the socket has been told of. Raises `TimeoutError`."""
        for _ in range(PATIENCE_MS // 50):
            if self.wire.finished:
                return
            self.page.wait_for_timeout(50)
        raise TimeoutError(f"no `finished` over the socket in {PATIENCE_MS // 1000} s")

    def until_marked(self, name):
        """Wait until the page has marked a moment."""
        self.page.wait_for_function("name => performance.getEntriesByName(name).length", arg=name, timeout=PATIENCE_MS)

    def marks(self):
        """Milliseconds of the moments that the page marks: pressed, sound, first-spikes."""
        return self.page.evaluate("Object.fromEntries(performance.getEntriesByType('mark').map(m => [m.name, "
                                  "m.startTime]))")

    def words(self):
        """What the page says it heard, pauses left out."""
        return [text for text in self.page.locator("#words .phone, #words .word").all_text_contents() if text]

    def notice(self):
        return self.page.locator("#notice").text_content() if self.page.is_visible("#notice") else ""

    def too_wide(self):
        """Pixels by which the page is wider than the screen."""
        return self.page.evaluate("document.documentElement.scrollWidth - innerWidth")

    def violations(self):
        """axe-core's: each rule with the elements that break it."""
        from axe_playwright_python.sync_playwright import Axe
        return [f"{rule['id']}: {rule['help']}: {[node['target'] for node in rule['nodes']]}"
                for rule in Axe().run(self.page).response["violations"]]


@contextlib.contextmanager
def opened(address, microphone=None, permitted=True):
    """A function (screen, theme) -> `Tab`, in a browser whose microphone is a WAV file that is played again and again;
    one not `permitted` is refused it."""
    from playwright.sync_api import sync_playwright
    browser.need()
    words = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--use-fake-device-for-media-stream"]
    words += ["--use-fake-ui-for-media-stream"] if permitted else ["--deny-permission-prompts"]
    words += [f"--use-file-for-fake-audio-capture={microphone}"] if microphone else []
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=browser.chromium(), args=words)
        try:
            def tab(screen="desktop", theme="light"):
                width, height = browser.SCREENS[screen]
                size = {"width": width, "height": height}
                return Tab(chromium.new_context(viewport=size, color_scheme=theme), address)
            yield tab
        finally:
            chromium.close()


def plain(text):
    """One line."""
    return re.sub(r"\s+", " ", text).strip()
