"""The command line within a notebook, as the worked pages of "Your own data" run it."""

from __future__ import annotations

import shlex
import sys
from contextlib import redirect_stderr

from aae_core.cli import app


def run_commands_here() -> None:
    """From here on ``!aae …`` runs in the notebook's own process, which has loaded already what each command would load again."""
    from IPython import get_ipython

    shell = get_ipython()
    in_a_shell = shell.system

    def system(line: str) -> None:
        words = shlex.split(line)
        if words[:1] != ["aae"]:
            return in_a_shell(line)
        with redirect_stderr(sys.stdout):  # a terminal shows both
            try:
                app(words[1:], prog_name="aae")
            except SystemExit as end:
                shell.user_ns["_exit_code"] = end.code

    shell.system = system
