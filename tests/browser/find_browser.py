"""Finds a Chromium and a Firefox for the tests; with ``--install`` fetches those that are not there.

Chromium, which the tests need: Playwright's own, one on the path, Playwright's download, Debian's package. The headless shell,
a Chromium without windows, comes before the others on the path: it takes half of the time.
Firefox, without which its tests are skipped: one on the path, Debian's package. Playwright's own does not speak WebDriver BiDi.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FIREFOXES = ("firefox-esr", "firefox")


def find() -> str | None:
    """The path of a Chromium that is here, or None."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    if own.exists():
        return str(own)
    return next((path for path in map(shutil.which, NAMES) if path), None)


def find_firefox() -> str | None:
    """The path of a Firefox that is here, or None."""
    return next((path for path in map(shutil.which, FIREFOXES) if path), None)


def run(*command: str) -> bool:
    """Runs `command`; its output is shown only if it fails."""
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    )
    if done.returncode:
        print(f"`{' '.join(command)}` failed:\n{(done.stderr or done.stdout).strip()[-800:]}", file=sys.stderr)
    return done.returncode == 0


def install() -> str | None:
    """Fetches a browser: Playwright's, else Debian's where we may install it."""
    print("No Chromium was found. Fetching Playwright's.")
    root = os.geteuid() == 0
    # only root may install the system libraries that Playwright's build needs; elsewhere they are mostly there
    if run(sys.executable, "-m", "playwright", "install", *["--with-deps"] * root, "chromium") and (path := find()):
        return path
    print("Playwright's download did not work here.")
    for name in ("chromium-headless-shell", "chromium"):
        install_package(name)
        if path := find():
            return path
    return None


def install_package(name: str) -> None:
    """Installs a package of Debian's, where there is apt-get and we may."""
    root = os.geteuid() == 0
    become = [] if root else ["sudo", "-n"]
    if shutil.which("apt-get") and (root or shutil.which("sudo")):
        print(f"Trying Debian's {name}.")
        run(*become, "apt-get", "update", "-q")
        run(*become, "apt-get", "install", "-y", "-q", name)


if __name__ == "__main__":
    path = find() or ("--install" in sys.argv and install()) or None
    if path is None:
        sys.exit("The tests need a Chromium and none could be fetched. Install one (Debian: apt install chromium).")
    print(f"Browser: {path}")
    if find_firefox() is None and "--install" in sys.argv:
        install_package("firefox-esr")
    print(f"Firefox: {find_firefox() or 'none, so its tests are skipped (Debian: apt install firefox-esr)'}")
