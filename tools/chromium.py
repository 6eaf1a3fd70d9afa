"""The system's Chromium, which Playwright drives for the browser tests and for the pictures of the documents. None is
downloaded."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """The path of the first of `NAMES` that is on PATH."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)
