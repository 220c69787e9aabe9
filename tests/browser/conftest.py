"""A real server over a fresh workspace and a real Chromium, shared by the browser tests."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from core.data.samples import make_sample
from core.workspace import Workspace

ROOT = Path(__file__).parents[2]
READY = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",  # a camera that films a moving figure, and may be used without asking
    "--use-fake-ui-for-media-stream",
]


class Server:
    """`streamlit run app.py` on a free port of this computer."""

    def __init__(self, home: Path, profile: str = "laptop") -> None:
        self.home, self.profile = home, profile
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)]
        env = {**os.environ, "BEARINGS_HOME": str(self.home), "BEARINGS_PROFILE": self.profile}
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            with contextlib.suppress(OSError):
                if urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2).status == 200:
                    return
            time.sleep(0.1)
        raise AssertionError((self.home / "server.log").read_text())

    def kill(self, how: int = signal.SIGKILL) -> None:
        self.process.send_signal(how)
        self.process.wait(20)

    def end_engine(self) -> None:
        """End the engine that this server started, by its own process id."""
        for process in psutil.process_iter(["cmdline"]):
            with contextlib.suppress(psutil.Error):
                command = process.info["cmdline"] or ()  # of a process that has just ended, nothing is known
                if "core.jobs.serve" in command and str(self.home) in command:
                    process.terminate()
                    process.wait(20)


@contextlib.contextmanager
def served(home: Path, *, bears: int = 0, profile: str = "laptop"):
    """A server of its own over a workspace, with so many bears of each class in it."""
    server = Server(home, profile)
    if bears:
        for _ in make_sample(Workspace(home), "bears", name="bears", per_class=bears):
            pass
    try:
        server.start()
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.kill(signal.SIGTERM)
        server.end_engine()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of the file's own: what other files left behind would stand in every list."""
    with served(tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest.fixture(scope="session")
def chromium():
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing: install Debian's chromium")
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


class Visitor:
    """A page in a browser window of its own, and what it asked for and complained about."""

    def __init__(self, browser, server: Server, width: int, height: int, *, touch: bool = False) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": height}, has_touch=touch)
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.server, self.outside, self.faults = server, [], []
        self.page.on("request", self._note_request)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))

    def _note_request(self, request) -> None:
        if not request.url.startswith((self.server.url, "data:", "blob:", self.server.url.replace("http", "ws"))):
            self.outside.append(request.url)

    def open(self, path: str) -> None:
        self.page.goto(self.server.url + path)
        self.settle()

    def settle(self) -> None:
        self.page.wait_for_selector(READY)

    def press(self, name: str) -> None:
        """Click a button by what is written on it, and wait for the page."""
        self.page.get_by_role("button", name=name).first.click()

    def text(self) -> str:
        return self.page.locator("[data-testid=stMain]").inner_text()

    def assert_no_fault(self) -> None:
        assert self.page.locator("[data-testid=stException]").count() == 0
        assert "Traceback" not in self.text() and "our fault" not in self.text()
        assert self.faults == [] and self.outside == []


@pytest.fixture
def visitor(chromium, server):
    made = Visitor(chromium, server, 1366, 768)
    yield made
    made.context.close()


@pytest.fixture
def phone(chromium, server):
    made = Visitor(chromium, server, 390, 844)
    yield made
    made.context.close()
