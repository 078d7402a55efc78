"""The quick start, for real: each command is shown, then run; each figure is read back.

The data are the UCI handwritten digits that scikit-learn ships.
"""

from __future__ import annotations

import gzip
import importlib.util
import os
import shlex
import subprocess
import sys
from importlib import resources
from pathlib import Path

import click

from dws_graph.backends.git.command import Git, check_git
from dws_graph.errors import ConfigurationError, GitError

DATA = "sklearn-digits-dataset"
QUERY = (
    "MATCH (d:Certificate)-[:READ_BY]->(s:Step)-[:WROTE]->(r:Certificate) "
    "WHERE d.resource = $data "
    "RETURN s.name AS step, s.metric_accuracy AS accuracy, d.hash AS data ORDER BY accuracy DESC"
)


def run_demo(directory: Path) -> None:
    """Make a workspace in `directory` and go through the quick start in it.

    Raises:
        ConfigurationError: The directory has something in it, or scikit-learn is missing.
    """
    check_git()
    if importlib.util.find_spec("sklearn") is None:
        raise ConfigurationError(
            "the demo trains models with scikit-learn, which is not installed",
            hint="Type: pip install 'dws-graph[scikit-learn]'.",
        )
    directory = directory.resolve()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ConfigurationError(
            f"{directory} has something in it already",
            hint="Name a folder that does not exist yet: dws demo DIR.",
        )
    directory.mkdir(parents=True, exist_ok=True)
    _Tour(directory).go()


class _Tour:
    """Runs commands in the workspace, saying what each is for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.env = {**os.environ, **_identity(root)}
        for name in ("DWS_WORKSPACE_DIR", "DWS_BATCH"):  # else it might work on another workspace
            self.env.pop(name, None)

    def go(self) -> None:
        self.say("A workspace is a git repository; code and results are its first resources.")
        self.shell("mkdir", "-p", str(self.root), run=False)
        self.shell("cd", str(self.root), run=False)
        self.dws("init", "--create-resources", "code,results", "quickstart")
        self.say("The source data are a git repository of their own, which nobody here changes.")
        self.make_data()
        self.dws("add", "git", "--role", "source-data", "--read-only", f"./{DATA}")
        self.dws("report", "status")
        self.say("Train a support-vector classifier. The script wraps it in a LineagePredictor,")
        self.say("which records what it read, its parameters, its metrics and its model.")
        self.script("digits_svc.py")
        self.dws("report", "results")
        self.say("A snapshot puts code, data, results and lineage on record, under a tag.")
        self.dws("snapshot", "-m", "first run with SVC", "SVC-1")
        self.say("The same with a logistic regression, tuned by a grid search.")
        self.script("digits_lr.py")
        self.dws("snapshot", "-m", "Logistic Regression experiment", "LR-1")
        self.say("Which experiments were there, and how good were they?")
        self.dws("report", "history", "--metrics", "accuracy")
        self.say("Where did each number come from?")
        self.dws("report", "lineage", "--snapshot", "SVC-1")
        self.dws("report", "lineage", "--snapshot", "LR-1")
        self.say("Any other question is Cypher: what was made from these data, best first?")
        self.dws("lineage", "query", "--param", f"data={DATA}", QUERY)
        self.say("The same as a picture; it opens in a browser, and needs no network.")
        self.dws("lineage", "downstream", DATA, "--format", "html", "-o", "lineage.html")
        self.say("Back to the first experiment: the code is as it was, the results all stay.")
        self.shell("ls", "code")
        self.dws("--batch", "restore", "SVC-1")
        self.shell("ls", "code", "results/snapshots")
        click.echo()
        self.say(f"The workspace: {self.root}")
        self.say(f"The graph:     {self.root / 'lineage.html'}")

    def say(self, text: str) -> None:
        click.secho(f"# {text}", fg="cyan")

    def dws(self, *args: str) -> None:
        """Show and run a command of ours."""
        self.show("dws " + shlex.join(args))
        self.run([sys.executable, "-m", "dws_graph", *args], self.root)
        click.echo()

    def shell(self, *words: str, run: bool = True) -> None:
        """Show, and run, something of the system's."""
        self.show(shlex.join(words))
        if run:
            self.run([*words], self.root)
        if run and words[0] != "git":
            click.echo()

    def script(self, name: str) -> None:
        """Write one of the quick start's scripts, and run it as a user would."""
        text = (resources.files("dws_graph.cli") / "quickstart" / f"{name}.txt").read_bytes()
        (self.root / "code" / name).write_bytes(text)
        self.show(f"cd code; python {name}; cd ..")
        self.run([sys.executable, name], self.root / "code")
        click.echo()

    def make_data(self) -> None:
        """Write the digits as files, in a repository."""
        from sklearn import datasets

        source = Path(datasets.__file__).parent / "data" / "digits.csv.gz"
        rows = gzip.decompress(source.read_bytes()).decode("ascii").splitlines()
        folder = self.root / DATA
        folder.mkdir()
        data = [row.rpartition(",") for row in rows]
        (folder / "data.csv").write_text("".join(f"{pixels}\n" for pixels, _, _ in data))
        (folder / "target.csv").write_text("".join(f"{digit}\n" for _, _, digit in data))
        about = resources.files("sklearn.datasets") / "descr" / "digits.rst"
        (folder / "DESCR.rst").write_bytes(about.read_bytes())
        for command in (
            ["git", "init", "-q", DATA],
            ["git", "-C", DATA, "add", "."],
            ["git", "-C", DATA, "commit", "-q", "-m", "UCI handwritten digits"],
        ):
            self.shell(*command)
        click.echo()

    def show(self, command: str) -> None:
        click.secho(f"$ {command}", bold=True)

    def run(self, command: list[str], cwd: Path) -> None:
        sys.stdout.flush()
        done = subprocess.run(command, cwd=cwd, env=self.env, check=False)  # noqa: S603
        if done.returncode != 0:
            raise ConfigurationError(
                f"'{shlex.join(command[-3:])}' ended with status {done.returncode}",
                hint="What it said stands above.",
            )


def _identity(root: Path) -> dict[str, str]:
    """Who commits, where git does not know."""
    try:
        Git(root).check_identity()
    except GitError:
        click.secho("# Git does not know your name: the demo commits as 'dws demo'.", fg="yellow")
        name, mail = "dws demo", "demo@localhost"
        return {
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": mail,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": mail,
        }
    return {}
