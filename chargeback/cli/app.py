"""The commands together, and how each of them fails: one sentence on stderr and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from typer.core import TyperGroup

from chargeback import __version__
from chargeback.cli import demo, explain, fingerprint, query, replay, serve
from chargeback.errors import ChargebackError

FAILED = 2
INTERRUPTED = 130
READER_GONE = 141
"""What a shell sees of a program that a closed pipe ended: 128 + SIGPIPE."""


class Commands(TyperGroup):
    """Turns errors into sentences and exit codes, for every command alike."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # its own type of context is private
        """Run the command that was asked for."""
        try:
            answer: object = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _discard_output()
            raise typer.Exit(READER_GONE) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except ChargebackError as error:
            _fail(str(error))
        except OSError as error:
            _discard_output()
            name = f"{error.filename}: " if error.filename else ""
            _fail(f"{name}{error.strerror or type(error).__name__}: free some space or choose another place")
        return answer


def _fail(sentence: str) -> None:
    print(f"chargeback: {sentence}", file=sys.stderr)
    raise typer.Exit(FAILED)


def _discard_output() -> None:
    """Let go of what cannot be written; the interpreter would try again as it ends, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _version(wanted: bool) -> None:
    if wanted:
        print(f"chargeback {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    # A traceback with the values of variables would show payload.
    pretty_exceptions_enable=False,
)


@app.callback()
def chargeback(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Charge Azure OpenAI usage back to those who caused it.

    The function does it all day long: Event Hub batches in, Application Insights events out.
    These commands do the same with files, on a laptop.

    \b
      chargeback demo                                          a working day, from records to who owes what
      chargeback explain records.jsonl                         what would the function make of these?
      chargeback replay records.jsonl --store day.duckdb       take them into a local Application Insights
      chargeback query kql/reports/NAME.kql --store day.duckdb ask it
    """  # noqa: D301  (\b keeps the help from joining the lines after it)


local = typer.Typer(help="Run a local Application Insights.", no_args_is_help=True, rich_markup_mode=None)
local.command()(serve.serve)

app.command()(demo.demo)
app.command()(explain.explain)
app.command()(replay.replay)
app.command()(query.query)
app.add_typer(local, name="local")
app.command(context_settings=fingerprint.TAKES_ANYTHING)(fingerprint.fingerprint)
