"""Builds the book: ``python tools/build.py [FOLDER]``. Says where it is, or in a few lines why it is not.

Jupyter Book reports a failing cell through four tracebacks of its own; here what a reader can act on is left.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

import psutil

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
CELL = re.compile(r"(?:following cell|cell contents):\n-{18,}\n(.*?)\n-{18,}\n", re.S)
CAUSE = re.compile(r"WARNING|timed out|ERROR|^\w*(Error|Exception)\b.*: |^  \S+\.html: ")
OWN = re.compile(r"^(RuntimeError|myst_nb)|Executing notebook failed")
HANDED_ON = ("Data: ", "Pages: ")  # what the extensions say to who waits (side_by_side.py)
PREFIX = re.compile(r"(?m)^nbclient\.exceptions\.\w+: ")


def build(folder: Path) -> str:
    """Builds the book in `folder`, any warning being an error.

    Returns:
        What went wrong, or the empty string.
    """
    # The networks of the pages are small: one thread is as fast as two, and far faster than two on a machine that is
    # busy, where threads wait for each other.
    threads = {"OMP_NUM_THREADS": "1"} | os.environ
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(folder)]
    options = ["--warningiserror", "--keep-going", "--quiet"]
    with TemporaryFile("w+", encoding="utf-8") as complaints:
        process = subprocess.Popen(
            [*command, *options], env=threads, stdout=subprocess.PIPE, stderr=complaints, text=True
        )
        told = ""
        try:
            for line in process.stdout:
                told += line
                if line.startswith(HANDED_ON):
                    print(line, end="", flush=True)
            process.wait()
        finally:
            end(process)
        complaints.seek(0)
        complained = complaints.read()
    if process.returncode == 0 and (folder / "_build" / "html" / "index.html").exists():
        return ""
    return causes(COLOURS.sub("", told + complained)) or told[-2000:] + complained[-4000:]


def end(process: subprocess.Popen) -> None:
    """Kills `process`, if it still runs, and all that it started: kernels would go on for minutes."""
    if process.poll() is None:
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        process.wait()


def causes(output: str) -> str:
    """The lines of Jupyter Book's output that say what is wrong, and the cell in which a notebook stopped."""
    lines = dict.fromkeys(PREFIX.sub("", output).splitlines())
    found = [line for line in lines if CAUSE.search(line) and not OWN.search(line)]
    page = re.search(r"\bExecutionError: (\S+)", output)
    if page and (cell := CELL.search(output)):
        found.insert(0, f"{page[1]} stopped in this cell:\n\n{cell[1].strip()}\n")
    return "\n".join(found)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("The build was ended. What stood in _build before may be older."))
    book = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    if problem := build(book):
        sys.exit(f"{problem}\n\nThe book was not built. What stood in _build before may be older than its sources.")
    print(f"The book is ready: {book / '_build' / 'html' / 'index.html'}")
