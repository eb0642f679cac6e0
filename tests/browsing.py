"""A browser without a window, and what is asked of the explorer in it."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

PHONE, DESKTOP = (390, 844), (1280, 900)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium; without one the test is left out, or fails where all must be tested."""
    program = shutil.which("chromium")
    if program is None:
        reason = "there is no Chromium here; `make browser` installs it on Debian"
        (pytest.fail if "CI" in os.environ else pytest.skip)(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@contextlib.contextmanager
def opened(
    browser: Browser, file: Path, *, fragment: str = "", size=DESKTOP, scheme: str = "light"
) -> Iterator[Page]:
    """Open a page from the disk; a word in the console, an error or a request elsewhere fails."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, offline=True
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda request: said.append(f"{request.url} failed"))
    page.on("request", lambda request: said.extend(_elsewhere(request.url, file)))
    page.goto(f"{file.as_uri()}{fragment}")
    settle(page)
    yield page
    context.close()
    assert said == []


def _elsewhere(url: str, file: Path) -> list[str]:
    own = (file.parent.as_uri(), "data:")
    return [] if url.startswith(own) else [f"{url} was asked for"]


def settle(page: Page) -> None:
    """Wait until all pictures are drawn."""
    page.wait_for_function("!document.querySelector('canvas[aria-busy=true]')")


def go(page: Page, fragment: str) -> None:
    """Follow a link within the page."""
    page.evaluate("fragment => { location.hash = fragment }", fragment)
    page.wait_for_function("fragment => location.hash === fragment", arg=fragment)
    page.evaluate("() => new Promise(requestAnimationFrame)")
    settle(page)


@contextlib.contextmanager
def another(page: Page) -> Iterator[None]:
    """Wait, after something is done, until another view is shown."""
    title = page.title()
    yield
    page.wait_for_function("title => document.title !== title", arg=title)
    settle(page)


def views(page: Page) -> list[str]:
    """The fragments of all that a reader can choose."""
    return page.evaluate(
        """() => explorer.experiments.flatMap(({ name, stages, images }) => {
            const link = (fields) => "#" + new URLSearchParams({ network: name, ...fields });
            const units = stages.flatMap(({ name: layer, units }) => units.length
                ? units.map(({ number }) => ({ look: "unit", layer, unit: number }))
                : [{ look: "unit", layer }]);
            const seen = images.map((image) => ({ look: "image", image: image.name }));
            return [...units, ...seen, { look: "network" }].map(link);
        })"""
    )


def shown(page: Page) -> str:
    """All words of a view, those of its pictures too."""
    return page.evaluate(
        """() => document.querySelector("main").innerText + [...document.querySelectorAll(
            "main [aria-label]")].map((one) => "\\n" + one.ariaLabel).join("")"""
    )


def faults(page: Page) -> list[str]:
    """What axe finds: nothing of any weight may remain."""
    # The one rule that is new in WCAG 2.2, which axe leaves out unless it is asked for.
    options = {"preload": False, "rules": {"target-size": {"enabled": True}}}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{one['id']} ({one['impact']}): {one['nodes'][0]['html']}" for one in found]


def overflows(page: Page) -> bool:
    """Whether the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


def cut_off(page: Page) -> list[str]:
    """What is wider than its place, so that a part of it shows only after scrolling."""
    return page.evaluate(
        """() => [...document.querySelectorAll("[role=main] *")]
            .filter((one) => getComputedStyle(one).overflowX === "auto")
            .filter((one) => one.scrollWidth > one.clientWidth)
            .map((one) => one.innerText.slice(0, 80))"""
    )
