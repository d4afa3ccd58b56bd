"""Which state of the source something was made with, as git tells it."""

from __future__ import annotations

import subprocess
from pathlib import Path

PATIENCE = 10
"""Seconds that git may take: a checkout on a slow share is no reason to lose a run's card."""


def revision(source: Path, *, digits: int | None = None, changed: str = "+", apart: str | None = None) -> str:
    """The git revision of the checkout that has `source`; "unknown" without git, or where git does not keep that file or folder.

    So an environment inside a project of somebody else's is not taken for a state of that project.

    Args:
        digits: of the commit, which is then named by nothing else; None names it from the last tag, where there is one.
        changed: what follows it where a tracked file was changed since.
        apart: a folder of the checkout whose changes do not count.
    """
    where = source if source.is_dir() else source.parent

    def git(*arguments: str) -> str:
        command = ["git", "--no-optional-locks", "-C", str(where), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout.strip()

    named = ("describe", "--always") if digits is None else ("rev-parse", f"--short={digits}", "HEAD")
    but = () if apart is None else (f":(top,exclude){apart}",)
    try:
        git("ls-files", "--error-unmatch", "--", str(source.resolve()))
        dirty = git("status", "--porcelain", "--untracked-files=no", "--", ":/", *but)
        return git(*named) + (changed if dirty else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
