"""Finds a Chromium and a Firefox for the tests; with ``--install [STAMP]`` fetches those that are not there.

Chromium, which the tests need: Playwright's own, one on the path, Playwright's download, Debian's package. The headless shell,
a Chromium without windows, comes before the others on the path: it takes half of the time.
Firefox, without which its tests are skipped: one on the path, Debian's package. Playwright's own does not speak WebDriver BiDi.

Where no Chromium can be had, the tests that need one are skipped with a line that says what to install, and the others run. With
AAE_BROWSER=required they fail instead. The file STAMP is made once there is one, so that another run looks again until then.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FIREFOXES = ("firefox-esr", "firefox")


def required() -> bool:
    """Whether tests must not be skipped for want of a browser."""
    return os.environ.get("AAE_BROWSER") == "required"


def driver_fault() -> str:
    """What keeps Playwright's driver, through which the tests speak to Chromium, from running; empty where it runs."""
    done = subprocess.run([sys.executable, "-m", "playwright", "--version"], capture_output=True, text=True)
    lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
    return lines[-1] if done.returncode else ""


def what_to_install() -> str:
    """One line, for where :func:`find` finds none, or one that does not start."""
    if fault := driver_fault():
        return (
            f"Playwright's driver does not run, so the browser's tests cannot: {fault}. Install what it lacks "
            "(Debian: apt install libatomic1, for libatomic.so.1)."
        )
    if path := find():
        return f"{path} does not start, so the browser's tests cannot. Install another (Debian: apt install chromium)."
    return "The browser's tests need a Chromium and there is none. Install one (Debian: apt install chromium)."


def find() -> str | None:
    """The path of a Chromium that is here and that Playwright can drive, or None."""
    if driver_fault():
        return None
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
    """Runs `command`; if it fails, the last line of what it said is shown."""
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-1:]
        print(f"`{' '.join(command)}` failed: {''.join(said)[-300:]}", file=sys.stderr)
    return done.returncode == 0


def install() -> str | None:
    """Fetches a browser: Playwright's, else Debian's where we may install it. Without a driver none would be of use."""
    if driver_fault():
        return None
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
    if path is None and required():
        sys.exit(what_to_install())
    print(f"Browser: {path}" if path else f"{what_to_install()} Until then they are skipped.")
    for stamp in sys.argv[2:] if path else ():
        Path(stamp).touch()
    if find_firefox() is None and "--install" in sys.argv:
        install_package("firefox-esr")
    print(f"Firefox: {find_firefox() or 'none, so its tests are skipped (Debian: apt install firefox-esr)'}")
