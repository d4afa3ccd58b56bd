"""``python -m aae_core`` is the command line."""

from aae_core.cli import app

app()
