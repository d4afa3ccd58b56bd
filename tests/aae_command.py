"""The command ``aae``, as tests give it and as they read what it says."""

from click.testing import Result
from typer.testing import CliRunner

from aae_core.cli import app


def aae(*arguments: object, **options: object) -> Result:
    """What a command came to; it ends in no error but its own. Options are those of ``CliRunner.invoke``."""
    result = CliRunner().invoke(app, [*map(str, arguments)], **options)
    assert isinstance(result.exception, SystemExit | None), repr(result.exception)
    assert "Traceback" not in result.stderr
    return result


def done(*arguments: object) -> Result:
    """What a command came to that has to succeed."""
    result = aae(*arguments)
    assert result.exit_code == 0, result.stderr
    return result


def said(result: Result) -> str:
    """What a command said beside its result, in one line."""
    return " ".join(result.stderr.split())


def refused(*arguments: object) -> str:
    """What a command says that has to refuse what it was given; it prints no result."""
    result = aae(*arguments)
    assert result.exit_code == 1 and not result.stdout, result.output
    return said(result)
