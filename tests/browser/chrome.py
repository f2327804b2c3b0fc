"""A real Chromium without a window, and the board it looks at, in a thread of its own."""

import asyncio
import base64
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiohttp import web
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from ops.board.app import BoardSettings, build

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--disable-dev-shm-usage",
)  # fmt: skip
SECONDS = 20.0  # to wait for anything, on a busy machine too
DESK, PHONE = (1280, 900), (360, 780)
TALLEST = 6000
SETTLED = """
const main = document.getElementById('main');
return main && main.getAttribute('aria-busy') === 'false' && main.children.length > 0
    && document.documentElement.lang && document.getElementById('head').children.length > 0
    && [...document.querySelectorAll('.plot')].every(plot => plot.children.length > 0)"""


def binary() -> str | None:
    """Where a Chromium is."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def driver() -> str | None:
    """Where its driver is."""
    return shutil.which("chromedriver")


@contextmanager
def serving(settings: BoardSettings) -> Iterator[str]:
    """Serve the board on loopback in a thread; its address."""
    loop, runner = asyncio.new_event_loop(), None
    thread = threading.Thread(target=loop.run_forever, name="board", daemon=True)
    thread.start()

    async def start() -> tuple[web.AppRunner, str]:
        made = web.AppRunner(build(settings), access_log=None, shutdown_timeout=0.5)
        await made.setup()
        await web.TCPSite(made, "127.0.0.1", 0).start()
        return made, "http://{}:{}".format(*made.addresses[0][:2])

    runner, address = asyncio.run_coroutine_threadsafe(start(), loop).result(SECONDS)
    try:
        yield address
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(SECONDS)
        loop.close()


@contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    """Open a Chromium that nobody has used before."""
    with TemporaryDirectory(prefix="board-chrome-", ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.binary_location = binary() or ""
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        opened = webdriver.Chrome(options=options, service=Service(driver()))
        try:
            yield opened
        finally:
            opened.quit()


class Page:
    """The board as a person has it before them."""

    def __init__(self, chrome: webdriver.Chrome, address: str) -> None:
        self.chrome, self.address = chrome, address

    def fresh(self, language: str = "zh", theme: str = "light", size: tuple[int, int] = DESK) -> None:
        """Forget everything, and choose."""
        self.chrome.get(f"{self.address}/healthz")
        chosen = f"localStorage.setItem('language', '{language}'); localStorage.setItem('theme', '{theme}')"
        self.chrome.execute_script(f"localStorage.clear(); sessionStorage.clear(); {chosen}")
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.complaints()

    def open(self, path: str) -> None:
        """Go to an address, and wait until it is shown."""
        self.chrome.get(self.address + path)
        self.settle()

    def settle(self) -> None:
        """Wait until the page stands."""
        self.until(lambda: self.run(SETTLED))

    def until(self, what: Callable[[], Any]) -> Any:
        """Wait for it. Raises TimeoutException."""
        return WebDriverWait(self.chrome, SECONDS, poll_frequency=0.05).until(lambda _: what())

    def run(self, script: str, *given: Any) -> Any:
        """What a script returns."""
        return self.chrome.execute_script(script, *given)

    def find(self, selector: str) -> WebElement:
        """Wait for an element."""
        found: WebElement = self.until(lambda: next(iter(self.chrome.find_elements(By.CSS_SELECTOR, selector)), None))
        return found

    def text(self, selector: str = "body") -> str:
        """What is written there."""
        return str(self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector))

    def says(self, text: str, selector: str = "body") -> None:
        """Wait until it is written there. Raises TimeoutException."""
        self.until(lambda: text in self.text(selector))

    def complaints(self) -> list[str]:
        """What the console has said since it was asked last: errors, refused scripts, failed requests."""
        entries: list[dict[str, str]] = self.chrome.get_log("browser")  # type: ignore[no-untyped-call] # selenium leaves it so
        return [entry["message"] for entry in entries if entry["level"] in {"SEVERE", "WARNING"}]

    def focused(self) -> str:
        """The element that has the focus: its id, else its text."""
        return str(self.run("const at = document.activeElement; return at.id || at.innerText || at.tagName"))

    def shoot(self, file: Path) -> None:
        """Keep a picture of the whole page."""
        width, height = self.run("return [innerWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, TALLEST), "scale": 1}
        shot = self.chrome.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        file.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            file.unlink()
        file.write_bytes(base64.b64decode(shot["data"]))
