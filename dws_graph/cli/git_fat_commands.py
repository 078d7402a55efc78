"""What `git fat` does where a person types it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from dws_graph.backends.git import fat
from dws_graph.backends.git.command import Git
from dws_graph.backends.git.fat_remote import bring, read_remote, send
from dws_graph.backends.git.filters import configure, fill, known_filters, pointers_on_disk
from dws_graph.backends.git.pointers import FAT, pointers_in, pointers_of
from dws_graph.errors import GitError
from dws_graph.render.text import clean


@dataclass(frozen=True, slots=True)
class FatCommand:
    """A command.

    Attributes:
        run: Told whether `--all` was given; its exit status.
        takes_all: Whether it may be.
    """

    run: Callable[[bool], int]
    takes_all: bool = False


def _repository() -> Git:
    top = Git(Path.cwd()).toplevel()
    if top is None:
        raise GitError(f"{os.getcwd()} is in no git repository", hint="Type: git init.")
    return Git(top)


def _init(_: bool) -> int:
    git = _repository()
    if FAT in known_filters(git):
        click.echo("git-fat is set up already: git config --get-regexp filter.fat")
    else:
        configure(git, FAT)
        click.echo("Set up git-fat in this repository.")
    return 0


def _named(git: Git, every: bool) -> dict[str, str]:
    """SHA-1 and path of what commits name: HEAD's history, or everything."""
    if git.head() is None:
        return {}
    commits = ["--all"] if every else ["HEAD"]
    return {p.oid: path for p, path in pointers_of(git, commits).items() if p.driver == FAT}


def _status(every: bool) -> int:
    git = _repository()
    named, here = _named(git, every), fat.stored(fat.store_of(git.folder))
    for title, digests in (("Not here", named.keys() - here), ("Not named", here - named.keys())):
        if digests:
            click.echo(f"{title}:")
        for digest in sorted(digests):
            click.echo(clean(f"  {digest} {named.get(digest, '')}".rstrip()))
    return 0


def _push(every: bool) -> int:
    git = _repository()
    here = _named(git, every).keys() & fat.stored(fat.store_of(git.folder))
    send(git, read_remote(git), here, ask=True)
    return 0


def _pull(every: bool) -> int:
    git = _repository()
    wanted = _named(git, True) if every else {}
    if git.head() is not None:
        found = pointers_in(git, "HEAD")
        wanted |= {p.oid: path for path, p in found.items() if p.driver == FAT}
    bring(git, read_remote(git), wanted, ask=True)
    return _checkout(False)


def _checkout(_: bool) -> int:
    git = _repository()
    if FAT not in known_filters(git):
        raise GitError("git-fat is not set up in this repository", hint="Type: git fat init.")
    here = fat.stored(fat.store_of(git.folder))
    held = {path: (git.root / path).read_bytes() for path in pointers_on_disk(git, (FAT,))}
    fill(git, [path for path, data in held.items() if fat.digest_in(data) in here])
    for path, data in held.items():
        digest = fat.digest_in(data)
        click.echo(clean(f"{'Restored' if digest in here else 'Not here:'} {path} ({digest})"))
    return 0


def _verify(_: bool) -> int:
    store = fat.store_of(_repository().folder)
    damaged = [d for d in sorted(fat.stored(store)) if fat.sha1_of(store / d) != d]
    for digest in damaged:
        click.echo(f"Damaged: {store / digest}")
    return 1 if damaged else 0


COMMANDS = {
    "init": FatCommand(_init),
    "status": FatCommand(_status, takes_all=True),
    "push": FatCommand(_push, takes_all=True),
    "pull": FatCommand(_pull, takes_all=True),
    "checkout": FatCommand(_checkout),
    "verify": FatCommand(_verify),
}
