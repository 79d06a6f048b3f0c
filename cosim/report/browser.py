"""A page in headless Chromium: errors of its console, what it loads, accessibility by axe, and pictures of it.

Chromium is the system's; `playwright` drives it and `axe-playwright-python` brings axe-core (both only for this).
"""

import importlib.util
import shutil
from contextlib import contextmanager
from pathlib import Path

from cosim import results
from cosim.errors import ToolError

SCREENS = {"desktop": (1280, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium():
    """Path of the browser, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def need():
    """Raise `ToolError` where the browser or what drives it is missing."""
    if not chromium():
        raise ToolError("Chromium is missing: install it, e.g. `apt install chromium`")
    for module, package in (("playwright", "playwright"), ("axe_playwright_python", "axe-playwright-python")):
        if not importlib.util.find_spec(module):
            raise ToolError(f"{package} is missing: run `pip install {package}`")


@contextmanager
def opened(path, size, theme, script=True):
    """A page from disk in a fresh browser of a size and a theme: `playwright`'s, closed in the end.

    `heard`, a dict of lists on it, has the errors of its console and the requests beyond the file.
    """
    from playwright.sync_api import sync_playwright
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            tab = browser.new_context(viewport=dict(zip(("width", "height"), size, strict=True)), color_scheme=theme,
                                      java_script_enabled=script).new_page()
            tab.heard = {"errors": [], "requests": [], "version": browser.version}
            tab.on("console", lambda m: tab.heard["errors"].append(m.text) if m.type in ("error", "warning") else None)
            tab.on("pageerror", lambda e: tab.heard["errors"].append(str(e)))
            tab.on("request", lambda r: None if r.url.startswith(("file:", "data:"))
                   else tab.heard["requests"].append(r.url))
            tab.goto(Path(path).resolve().as_uri())
            yield tab
        finally:
            browser.close()


def check(path, pictures=None):
    """What the page at `path` does on every screen in both colours: counts, and each fault in words.

    Pictures go to the folder `pictures`, by default `screens` beside the page.
    """
    from axe_playwright_python.sync_playwright import Axe
    pictures = Path(pictures or Path(path).parent / "screens")
    errors, requests, violations, wide, passed = [], [], [], [], set()
    for screen, size in SCREENS.items():
        for theme in THEMES:
            with opened(path, size, theme) as tab:
                tab.screenshot(path=pictures / f"{screen}-{theme}.png", full_page=True)
                found = Axe().run(tab).response
                passed |= {rule["id"] for rule in found["passes"]}
                violations += [f"{screen}, {theme}: {rule['id']}: {rule['help']}: {node['target']}"
                               for rule in found["violations"] for node in rule["nodes"]]
                width = tab.evaluate("document.documentElement.scrollWidth")
                if width > size[0]:
                    wide.append(f"{screen}, {theme}: the page is {width} wide on a screen of {size[0]}")
                errors, requests = errors + tab.heard["errors"], requests + tab.heard["requests"]
                version = tab.heard["version"]
    return {"console_errors": len(errors), "requests": len(requests), "accessibility_violations": len(violations),
            "too_wide": len(wide), "rules_passed": len(passed), "screens": len(SCREENS) * len(THEMES),
            "chromium": version, "faults": errors + requests + violations + wide, "pictures": str(pictures)}


def told(outcome):
    """The outcome in lines."""
    head = (f"Chromium {outcome['chromium']}: {outcome['screens']} screens, "
            f"{outcome['console_errors']} console errors, {outcome['requests']} requests, "
            f"{outcome['accessibility_violations']} accessibility violations, "
            f"{outcome['rules_passed']} rules passed")
    return "\n".join([head, *(f"  {fault}" for fault in outcome["faults"]), f"pictures: {outcome['pictures']}"])


def keep(outcome, name, command, publish):
    """The counts into `browser_checks` of system.json, under the page's name; other pages' stay."""
    rows = [(check.replace("_", " "), outcome[check], 0, outcome[check] == 0, command)
            for check in ("console_errors", "requests", "accessibility_violations", "too_wide")]
    results.keep_checks(name, rows, {"command": command, "note": (
        f"Chromium {outcome['chromium']}, {outcome['screens']} screens (desktop and phone, light and dark), from disk; "
        f"{outcome['rules_passed']} rules of axe-core passed")}, publish)
