"""The page in headless Chromium: no error, no request, no accessibility violation, and its controls work."""

import pytest

from cosim.errors import ToolError
from cosim.report import browser, page
from cosim.report.figures import Results
from cosim.report.report import PUBLISHED


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    try:
        browser.need()
    except ToolError as error:
        pytest.skip(str(error))
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(page.render(Results([PUBLISHED]), "sottovoce report"))
    return path


@pytest.fixture
def tab(path):
    """The page opened, as a `playwright` page."""
    with browser.opened(path, browser.SCREENS["desktop"], "light") as tab:
        yield tab


@pytest.mark.slow
def test_every_screen_in_both_colours(path):
    outcome = browser.check(path)
    assert outcome["faults"] == [] and outcome["screens"] == 4 and outcome["rules_passed"] > 40
    assert sorted(p.name for p in (path.parent / "screens").iterdir()) == [
        "desktop-dark.png", "desktop-light.png", "phone-dark.png", "phone-light.png"]


@pytest.mark.slow
def test_faults_are_found(tmp_path):
    browser.need() if browser.chromium() else pytest.skip("Chromium is missing")
    bad = tmp_path / "bad.html"
    bad.write_text("<!doctype html><html><body><p style='color:#aaa;background:#bbb'>pale words</p>"
                   "<div style='width:3000px'>wide</div><img src='http://127.0.0.1:54321/x.png'><script>undefined.nothing</script></body></html>")
    outcome = browser.check(bad)
    said = "\n".join(outcome["faults"])
    assert outcome["console_errors"] and outcome["requests"] == 4 and outcome["accessibility_violations"]
    assert "color-contrast" in said and "html-has-lang" in said and "3008 wide" in said and "x.png" in said


@pytest.mark.slow
def test_keys_move_the_cursor_and_zoom(tab):
    slider = tab.locator(".slide").first
    last = int(slider.get_attribute("aria-valuemax"))
    slider.focus()
    for key, wanted in (("Home", 0), ("ArrowRight", 1), ("PageUp", 21), ("ArrowLeft", 20), ("End", last)):
        tab.keyboard.press(key)
        assert slider.get_attribute("aria-valuenow") == str(wanted), key
    tab.keyboard.press("Home")
    assert slider.get_attribute("aria-valuetext") == "cycle 0: input buffer feature 0 arrives"
    svg = tab.locator(".timeline svg").first
    whole = svg.get_attribute("viewBox").split()
    tab.keyboard.press("+")
    assert float(svg.get_attribute("viewBox").split()[2]) == float(whole[2]) / 2
    tab.get_by_role("button", name="Whole frame").first.click()
    assert svg.get_attribute("viewBox").split() == whole


@pytest.mark.slow
def test_pointing_names_what_every_unit_does(tab):
    slider = tab.locator(".slide").first
    slider.scroll_into_view_if_needed()
    area = slider.bounding_box()
    tab.mouse.move(area["x"] + 0.75 * area["width"], area["y"] + 40)
    said = tab.locator(".readout").first.inner_text()
    assert "sequencer\nFC" in said and "adds the row" in said and "is read" in said


@pytest.mark.slow
def test_one_of_several_figures_is_shown_and_colours_change(tab):
    first, second = tab.locator("#area article").nth(0), tab.locator("#area article").nth(1)
    assert first.is_visible() and not second.is_visible()
    tab.locator("#area .choice button").nth(1).click()
    assert second.is_visible() and not first.is_visible()
    colour = "getComputedStyle(document.body).backgroundColor"
    light = tab.evaluate(colour)
    tab.get_by_role("button", name="Dark colours").click()
    assert tab.evaluate(colour) != light and tab.get_by_role("button", name="Light colours").is_visible()
    tab.reload()
    assert tab.evaluate(colour) != light, "the choice is kept"


@pytest.mark.slow
def test_without_script_everything_is_there(path):
    with browser.opened(path, browser.SCREENS["phone"], "dark", script=False) as tab:
        for figure in tab.locator("article").all():
            assert figure.is_visible()
        assert not tab.locator(".slide").first.is_visible() and tab.locator(".timeline svg").first.is_visible()
