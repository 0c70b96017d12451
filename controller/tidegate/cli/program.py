"""The program `tidegate`: its commands by name with one line of help each, loaded when called."""

from __future__ import annotations

from importlib import import_module

import click

from tidegate import __version__
from tidegate.cli.session import Session

SECTIONS = {
    "Set up": {
        "init": "Write a new models repository into a folder.",
        "demo": "Run the whole loop on this machine: train, promote, revert.",
        "doctor": "Check what the loop depends on, with a fix for each complaint.",
    },
    "The files": {
        "validate": "Check the files on disk, all findings in one go.",
        "plan": "Show what this change does when it is merged.",
        "migrate": "Rewrite files of older versions of the format.",
    },
    "The loop": {
        "train": "Launch the training that main asks for, once.",
        "evaluate": "Hold a run or a version against its gates and the champion.",
        "reconcile": "Do what is due: collect, judge, propose, merge, project.",
        "status": "Show what is wanted, what serves, and why they differ.",
        "render": "Print or check the files that a deployer reads.",
        "backtest": "Replay past rollouts: what would have been decided, and when.",
        "rules": "Print or write Prometheus rules for the objectives.",
    },
    "Proposals": {
        "pull": "List, show, approve, merge and close proposals.",
        "approve": "Check who must still approve a pull request.",
        "retry": "Lift the veto of a closed proposal.",
    },
    "On call": {
        "rollback": "Go back to the previous version, and reject this one.",
        "pin": "Set the version of an environment by hand.",
        "hold": "Stop promotions, or everything, in an environment.",
        "resume": "Lift a hold, and go on from what was set by hand.",
        "unreject": "Take a version off the rejected list.",
        "restart-rollout": "Start a rollout again at its first step.",
        "override-budget": "Let a version enter on a spent error budget.",
    },
}


class LazyGroup(click.Group):
    """Knows names and helps by heart, so that `--help` loads no command."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [name for commands in SECTIONS.values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = import_module(f"tidegate.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        for section, commands in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl(list(commands.items()), col_max=20)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("-C", "--repository", metavar="FOLDER", help="A clone of the models repository, or the bare one.")
@click.option("--as", "handle", metavar="HANDLE", help="Who you are, as approvals list you.  [env: TIDEGATE_HANDLE]")
@click.option("--verbose", is_flag=True, help="Tell on stderr which servers are asked for what.")
@click.version_option(__version__, message="%(version)s")
@click.pass_context
def program(context: click.Context, repository: str | None, handle: str | None, *, verbose: bool) -> None:
    """GitOps for ML models: what serves is written in git, and changes by proposals.

    Results go to stdout, the log to stderr. Exit codes: 0 fine, 1 findings or a refusal, 2 wrong use, 3 a server does
    not answer, 4 a bug, 130 interrupted.
    """
    context.obj = Session(folder=repository, handle=handle, verbose=verbose)
