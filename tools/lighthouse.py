"""What Lighthouse says of each page of the built book: ``make lighthouse``.

The pages are served as hosts do, compressed. Performance is a measurement, so a page that falls short is asked twice more and
the middle counts. The scores go to ``benchmarks/lighthouse.json``; below :data:`LEAST` of a hundred, the command fails.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
from datetime import date
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

from local_server import Quiet, served

ROOT = Path(__file__).parents[1]
SITE, FOLDER, RECORD = ROOT / "_build" / "html", ROOT / "_build" / "lighthouse", ROOT / "benchmarks" / "lighthouse.json"
VERSION = "13.5.0"
LEAST = 95
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
UNLISTED = {"404.html", "search.html", "status.html"}
"""Pages that ask search engines to leave them out, which costs them SEO and is meant."""
TEXTS = {".html", ".css", ".js", ".mjs", ".json", ".svg", ".txt", ".xml"}

Scores = dict[str, float]


@cache
def compressed(path: Path) -> bytes:
    """A file as a host sends it."""
    return gzip.compress(path.read_bytes(), 6)


class Host(Quiet):
    """Serves a folder: texts compressed, everything kept by the browser."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Sends one file."""
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path /= "index.html"
        if not path.is_file():
            self.send_error(404)
            return
        is_text = path.suffix in TEXTS
        content = compressed(path) if is_text else path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path) + ("; charset=utf-8" if is_text else ""))
        if is_text:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Cache-Control", "max-age=31536000")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def command() -> Path:
    """Lighthouse, from npm's registry where it is not there yet."""
    found = FOLDER / "node_modules" / ".bin" / "lighthouse"
    if not found.exists():
        print(f"Installing lighthouse {VERSION}.", flush=True)
        FOLDER.mkdir(parents=True, exist_ok=True)
        npm = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(FOLDER)]
        subprocess.run([*npm, f"lighthouse@{VERSION}"], check=True, stdout=subprocess.DEVNULL)
    return found


def ask(address: str, browser: str, form: str) -> dict[str, Any]:
    """Lighthouse's report of one page, on a desktop or a phone as it imagines them."""
    options = ["--output=json", "--quiet", "--chrome-flags=--headless --no-sandbox"]
    options += [f"--only-categories={','.join(CATEGORIES)}"] + ["--preset=desktop"] * (form == "desktop")
    done = subprocess.run(
        [str(command()), address, *options], capture_output=True, text=True, env=os.environ | {"CHROME_PATH": browser}
    )
    if done.returncode:
        raise RuntimeError(f"Lighthouse ended with {done.returncode} at {address}: {done.stderr.strip()[-400:]}")
    return json.loads(done.stdout)


def scores(report: dict[str, Any]) -> Scores:
    """The scores of a report, of a hundred."""
    return {name: round(100 * report["categories"][name]["score"]) for name in CATEGORIES}


def together(told: list[Scores]) -> Scores:
    """The middle of the scores of one page that was asked several times."""
    return {name: median(each[name] for each in told) for name in CATEGORIES}


def short(page: str, of_page: Scores) -> list[str]:
    """In what a page falls short."""
    asked = [name for name in CATEGORIES if not (name == "seo" and page in UNLISTED)]
    return [name for name in asked if of_page[name] < LEAST]


def why(report: dict[str, Any], names: list[str]) -> list[str]:
    """The audits that cost a report its points in these categories."""
    audits = report["audits"]
    ids = [each["id"] for name in names for each in report["categories"][name]["auditRefs"] if each["weight"]]
    return [
        f"{name} {audits[name].get('displayValue', '')}".strip() for name in ids if (audits[name]["score"] or 0) < 0.9
    ]


def main() -> None:
    """Asks about each page, keeps the scores, and fails where one falls short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--form", choices=("desktop", "mobile"), default="desktop")
    parser.add_argument("pages", nargs="*", help="paths below the built book; all by default")
    asked = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests" / "browser"))
    from find_browser import find, what_to_install

    browser = find()
    if browser is None:
        raise SystemExit(what_to_install())
    pages = asked.pages or sorted(
        path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if "_static" not in path.parts
    )
    if not pages:
        raise SystemExit("There is no built book: make book.")
    kept, failed = {}, False
    with served(SITE, Host) as address:
        for page in pages:
            report = ask(f"{address}/{page}", browser, asked.form)
            told = [scores(report)]
            if "performance" in short(page, told[0]):
                told += [scores(ask(f"{address}/{page}", browser, asked.form)) for _ in range(2)]
            kept[page] = together(told)
            missed = short(page, kept[page])
            failed = failed or bool(missed)
            words = " ".join(f"{name} {kept[page][name]:.0f}" for name in CATEGORIES)
            print(f"{page}: {words}" + (f". Costly: {'; '.join(why(report, missed))}" if missed else ""), flush=True)
    if not asked.pages:
        record = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
        record[asked.form] = {
            "date": date.today().isoformat(),
            "lighthouse": VERSION,
            "least": LEAST,
            "owe_no_seo": sorted(UNLISTED),
            "pages": kept,
        }
        RECORD.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
