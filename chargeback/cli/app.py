"""The commands together, and how each of them fails: one sentence on stderr and an exit code, never a traceback."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from typing import Annotated

import typer
from typer.core import TyperGroup

from chargeback import __version__
from chargeback.cli import (
    budgets,
    close,
    consumers,
    demo,
    doctor,
    explain,
    fingerprint,
    query,
    reconcile,
    replay,
    report,
    send,
    serve,
)
from chargeback.cli.prices import commands as prices_commands
from chargeback.cli.program import NAME, command
from chargeback.cli.rejected import commands as rejected_commands
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
            advice = "choose another place" if error.filename else "free some space or choose another place"
            _fail(f"{name}{error.strerror or type(error).__name__}: {advice}")
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


def _help(function: Callable[..., None]) -> str:
    """Return a command's help, whose examples call the program as it was called."""
    return re.sub(rf"(?<=  |\| ){NAME} ", f"{command()} ", function.__doc__ or "")


def chargeback(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Charge Azure OpenAI usage back to those who caused it.

    The function does it all day long: Event Hub batches in, Application Insights events out.
    These commands do the same with files, on a laptop.

    \b
    Examples:
      chargeback demo
      chargeback explain records.jsonl
      chargeback replay records.jsonl --store day.duckdb
      chargeback query kql/reports/tokens-by-consumer.kql --store day.duckdb
    """  # noqa: D301  (\b keeps the help from joining the lines after it)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    # A traceback with the values of variables would show payload.
    pretty_exceptions_enable=False,
)


app.callback(help=_help(chargeback))(chargeback)
local = typer.Typer(help="Run a local Application Insights.", no_args_is_help=True, rich_markup_mode=None)
local.command(help=_help(serve.serve))(serve.serve)

for function in (
    *(demo.demo, explain.explain, replay.replay, send.send, query.query),
    *(report.report, reconcile.reconcile, close.close, budgets.budgets, doctor.doctor),
):
    app.command(help=_help(function))(function)
app.add_typer(local, name="local")
people = typer.Typer(help="Say who the consumers are.", no_args_is_help=True, rich_markup_mode=None)
people.command("list", help=_help(consumers.list_))(consumers.list_)
people.command("name", help=_help(consumers.name))(consumers.name)
app.add_typer(people, name="consumers")
prices = typer.Typer(help="List, check and update prices.", no_args_is_help=True, rich_markup_mode=None)
prices.command("list", help=_help(prices_commands.list_))(prices_commands.list_)
prices.command("check", help=_help(prices_commands.check))(prices_commands.check)
prices.command("update", help=_help(prices_commands.update))(prices_commands.update)
app.add_typer(prices, name="prices")
letters = typer.Typer(help="List, show and send again what was rejected.", no_args_is_help=True, rich_markup_mode=None)
letters.command("list", help=_help(rejected_commands.list_))(rejected_commands.list_)
letters.command("show", help=_help(rejected_commands.show))(rejected_commands.show)
letters.command("replay", help=_help(rejected_commands.replay))(rejected_commands.replay)
app.add_typer(letters, name="rejected")
app.command(help=_help(fingerprint.fingerprint), context_settings=fingerprint.TAKES_ANYTHING)(fingerprint.fingerprint)
