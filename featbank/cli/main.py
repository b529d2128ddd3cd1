"""The ``featbank`` command: finds its subcommands by file name and turns errors into one line."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from typing import Any

import click

from featbank import cli
from featbank.catalog import suggest
from featbank.cli.entry import close_quietly, exceptions_told, interrupts_kept, leave, surroundings
from featbank.cli.output import tell
from featbank.errors import FeatbankError, MissingPathError
from featbank.shown import shown

_SUFFIX = "_command"


class LazyGroup(click.Group):
    """A group whose commands live in ``<name>_command.py`` and are imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, from the files of this folder."""
        names = (info.name for info in pkgutil.iter_modules(cli.__path__))
        found = sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))
        if not found:
            # A folder that cannot be opened passes there for an empty one: this tells why not.
            os.listdir(cli.__path__[0])
        return found

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command's module and return its ``command``."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{cli.__name__}.{cmd_name}{_SUFFIX}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click has it
        """As click does; the machine's trouble is told before click sees a broken pipe in it."""
        with exceptions_told():
            _require_here()
            return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest command suggested for an unknown one."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            known = self.list_commands(ctx)
            raise click.UsageError(
                f"{args[0]}: no command has this name; expected one of {', '.join(known)}. "
                f"{suggest(args[0], known)}",
                ctx,
            ) from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="featbank")
def group() -> None:
    """Embed Earth-observation imagery once; answer every later question from the store.

    \b
    Example:
      featbank embed --model rcf --dataset synthetic-s2
      featbank probe --clf logistic
    """


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 a named failure, 2 wrong usage.

    Args:
        args: Arguments without the program's name; None takes them from the process.
    """
    given = sys.argv[1:] if args is None else args
    code = run(given)
    if code and "--debug" not in given:
        # The reason is told: what libraries then fail to tidy up is no second one.
        sys.unraisablehook = lambda _: None
    leave(code)


def run(args: list[str]) -> int:
    """Run the command line and return its exit code."""
    try:
        with interrupts_kept(), surroundings(), exceptions_told():
            outcome: Any = group.main(args=args, prog_name="featbank", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _fail("Interrupted. Repeat the command to go on.", 1)
    except click.ClickException as error:
        # Names that the user gave stand in click's own words as they were given.
        error.message = shown(error.message, keeps_lines=True)  # type: ignore[misc]
        error.show()
        return error.exit_code
    except FeatbankError as error:
        if "--debug" in args:
            raise
        return _fail(str(error), error.exit_code)
    return outcome if isinstance(outcome, int) else 0


def _require_here() -> None:
    """Refuse to start in a folder that is gone: libraries end the process over it."""
    try:
        os.getcwd()
    except FileNotFoundError:
        raise MissingPathError(
            "the current folder", "is gone", "a folder that is there", "Change to another folder."
        ) from None


def _fail(message: str, code: int) -> int:
    close_quietly()
    tell(message)
    return code
