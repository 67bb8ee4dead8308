"""The page in a real browser: it works from a file, for everybody, without a network."""

from __future__ import annotations

import shutil

import pytest

from classicsr.report import render_page

pytest.importorskip("jinja2", reason="jinja2 (extra 'report') is not installed")
sync_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright (extra 'browser') is not installed"
)


@pytest.fixture(scope="module")
def browser():
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    installed = next(filter(None, map(shutil.which, names)), None)
    with sync_api.sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(
                executable_path=installed, args=["--no-sandbox"], timeout=30_000
            )
        except sync_api.Error as error:
            pytest.skip(f"no Chromium can be started ({str(error).splitlines()[0]})")
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, results, tmp_path):
    """The page of `results`; its `problems` are all messages and requests."""
    path = tmp_path / "report.html"
    path.write_text(render_page(results), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.problems = []
    page.on("console", lambda message: page.problems.append(message.text))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("request", lambda request: page.problems.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    page.problems = [
        one for one in page.problems if not one.startswith("data:") and one != path.as_uri()
    ]
    yield page
    page.close()


def column(page, k: int) -> list[str]:
    cells = page.locator(f".sortable >> nth=0 >> tbody tr > :nth-child({k + 1})")
    return [text.split()[0] for text in cells.all_inner_texts()]


def drawn(page, canvas: str) -> str:
    """What a canvas shows, to be compared with what it shows later."""
    return page.locator(canvas).first.evaluate("canvas => canvas.toDataURL()")


def test_no_message_and_no_request(page):
    assert page.problems == []


def test_the_table_sorts_both_ways_by_mouse_and_keyboard(page):
    heading = page.locator(".sortable >> nth=0 >> thead th").nth(2)
    heading.locator("button").click()
    rising = [float(text) for text in column(page, 2)]
    assert rising == sorted(rising)
    assert heading.get_attribute("aria-sort") == "ascending"
    heading.locator("button").press("Enter")
    assert [float(text) for text in column(page, 2)] == rising[::-1]
    assert heading.get_attribute("aria-sort") == "descending"
    page.locator(".sortable >> nth=0 >> thead th").nth(0).locator("button").click()
    assert column(page, 0) == sorted(column(page, 0))
    assert heading.get_attribute("aria-sort") is None


def test_the_slider_moves(page):
    canvas = ".viewer .compare canvas"
    middle = drawn(page, canvas)
    page.locator(".viewer .split").first.fill("100")
    left = drawn(page, canvas)
    page.locator(".viewer .split").first.fill("0")
    right = drawn(page, canvas)
    assert left != middle != right != left
    page.locator(".viewer .split").first.press("ArrowRight")
    assert page.locator(".viewer .split").first.input_value() == "1"


def test_zoom_moves_all_pictures_and_dragging_pans(page):
    first, last = (f".viewer figure:nth-child({k}) canvas" for k in (1, 3))
    before = [drawn(page, first), drawn(page, last)]
    page.locator(".viewer .zoom").first.fill("4")
    zoomed = [drawn(page, first), drawn(page, last)]
    assert all(a != b for a, b in zip(before, zoomed, strict=True))
    box = page.locator(first).first.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 20, box["y"] + 40, steps=4)
    page.mouse.up()
    assert float(page.locator(".viewer .across").first.input_value()) > 50
    panned = [drawn(page, first), drawn(page, last)]
    assert all(a != b for a, b in zip(zoomed, panned, strict=True))


def test_error_maps_are_black_where_there_is_no_error(page):
    page.locator(".viewer .errors").first.check()
    count = """canvas => {
      const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      return new Set(new Uint32Array(pixels.buffer)).size;
    }"""
    pictures = page.locator(".viewer >> nth=0 >> figure canvas")
    assert pictures.nth(0).evaluate(count) == 1
    assert pictures.nth(2).evaluate(count) > 50


def test_slices_of_a_volume(page):
    viewer = page.locator(".viewer").nth(1)
    viewer.locator("summary").click()
    canvas = ".viewer:nth-of-type(2) figure:nth-child(3) canvas"
    before = drawn(page, canvas)
    viewer.locator(".slice").fill("1")
    assert drawn(page, canvas) != before
    assert viewer.locator(".slice-number").inner_text() == "1"


def test_a_phone_need_not_scroll_sideways(page):
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_violation(page, width):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
