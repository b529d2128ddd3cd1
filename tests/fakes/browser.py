"""A true Chromium for tests of pages; WebGL by software."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile

import pytest

# Set by .ci/run: there a missing browser fails instead of skipping.
REQUIRED = "FEATBANK_BROWSER"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1300,1000",
)
BY_SOFTWARE = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
WITHOUT_WEBGL = ("--disable-3d-apis",)


@contextlib.contextmanager
def chromium(*more):
    """A headless Chromium with an empty profile; skips the test where there is none."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        lacking = "needs Debian's chromium and chromium-driver"
        (pytest.fail if os.environ.get(REQUIRED) else pytest.skip)(lacking)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = program
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, *more, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        browser = webdriver.Chrome(options=options, service=Service(driver))
        try:
            yield browser
        finally:
            browser.quit()


def errors_of(browser):
    """Errors that the console has told since it was last asked; advice is none."""
    return [e["message"] for e in browser.get_log("browser") if e["level"] == "SEVERE"]
