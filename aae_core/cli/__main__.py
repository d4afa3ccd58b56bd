"""``python -m aae_core.cli`` is the command line, too."""

from aae_core.cli import app

app()
