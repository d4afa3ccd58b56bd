"""The command line: ``aae``. Heavy imports wait until a command needs them, so that help and completion are quick."""

from aae_core.cli import train, measure, use  # isort: skip  # in the order in which help lists their commands
from aae_core.cli.options import DatasetName, app
