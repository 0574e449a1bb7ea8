"""Pages as a person has them: a server on loopback, and headless Chromium in front of it."""

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from serving import eventually

CHROMIUM: Final = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
WITHOUT: Final = (
    "no Chromium here, so nobody looked at the pages (Debian: apt-get install chromium)"
)


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """An application on a free port of loopback; its address, without a slash at the end."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        eventually(lambda: server.started, "the pages are served")
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(60)
        listening.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. It may run as root, and reaches this machine alone."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
        )
        yield browser
        browser.close()


class Watched:
    """A tab of its own, and what went wrong in it."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda said: self._told(said.type, said.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def _told(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.wrong.append(text)

    def drawn(self) -> None:
        """Waits until every chart was drawn in the width that there is."""
        charts = self.page.locator("figure.chart:visible").count()
        if charts:
            self.page.wait_for_function(
                "count => document.querySelectorAll('figure.chart[data-drawn]').length >= count",
                arg=charts,
            )


@contextmanager
def looking(
    browser: Browser, base_url: str, *, width: int = 1280, dark: bool = False, scripts: bool = True
) -> Iterator[Watched]:
    """A new visitor, without cookies."""
    context = browser.new_context(
        base_url=base_url,
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
        reduced_motion="reduce",
        locale="en-US",
    )
    # Milliseconds; a machine with much to do is not a page that hangs.
    context.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    yield Watched(context)
    context.close()
