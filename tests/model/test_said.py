"""A program's own words, apart from the names that it repeats."""

from __future__ import annotations

import pytest

from dws_graph.backends.git.command import GitCommandError
from dws_graph.backends.git.fat_remote import FatError, FatRemote, explained
from dws_graph.model.said import own_words
from dws_graph.resources.rclone_errors import failed_with

HASH = "4031aa4010403401403cbd4034014f4c61fb4a3c4f0c4401140140340340340a"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("fatal: '/a/Permission denied (x)/b' is no repository", "fatal:  is no repository"),
        ("fatal: couldn't find remote ref no space left", "fatal: couldn't find remote ref"),
        ('link_stat "/srv/Connection refused/a" failed', "link_stat  failed"),
        ("no /srv/AccessDenied/x: not a directory", "no : not a directory"),
        ("get https://host:403/returned error: 404", "get error: 404"),
        (f"object {HASH} is missing", "object  is missing"),
        ("dial tcp 127.0.0.1:40301: i/o timeout", "dial tcp 127.0.0.1: i/o timeout"),
        ("status code: 403", "status code: 403"),
    ],
)
def test_names_do_not_count(said: str, words: str):
    assert own_words(said, ["no space left"]).split() == words.split()


def test_what_was_given_goes_as_a_whole_word():
    assert own_words("raw: a rawhide has a name", ["raw", "a"]) == ":  rawhide has  name"


def test_go_names_files_without_quotes():
    said = "Failed to copy: open /x/token expired: y/Forbidden: no space left on device"
    assert own_words(said, is_go=True) == "Failed to copy: open: no space left on device"


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ("Failed to copy: open /x/Forbidden/a.csv: permission denied", "may not be read"),
        ("Failed to copy: mkdir /AccessDenied/x: no space left on device", "no space left"),
        ("Failed to copy: AccessDenied: Access Denied status code: 403, request id:", "is denied"),
        ("error listing bucket Unauthorized: directory not found", "nothing at that path"),
        ('Failed to create file system for "a": didn\'t find section in config file', "no such"),
        ("couldn't list: dial tcp 127.0.0.1:40301: connection refused", "cannot be reached"),
    ],
)
def test_what_rclone_says_is_not_taken_for_what_its_files_are_called(said: str, meaning: str):
    assert meaning in failed_with(said, 1, "store:Unauthorized/x").message


def test_rsync_says_of_a_file_what_ssh_says_of_a_key():
    remote = FatRemote.checked("host:/srv/store")
    of_a_file = 'rsync: [Receiver] mkstemp "/srv/store/.a" failed: Permission denied (13)'
    of_a_key = "ann@host: Permission denied (publickey)."

    assert "it may not be written or read" in _said(remote, of_a_file)
    assert "it does not accept your key" in _said(remote, of_a_key)


def _said(remote: FatRemote, text: str) -> str:
    found: FatError = explained(remote, 23, text)
    return found.message


@pytest.mark.parametrize(
    ("said", "program"),
    [
        ("sh: 1: git-fat: not found\nfatal: a.gz: clean filter 'fat' failed", "git-fat"),
        ("bash: line 1: git-lfs: command not found", "git-lfs"),
        ("error: cannot run git-lfs: No such file or directory", "git-lfs"),
    ],
)
def test_a_filter_that_is_missing_is_named(said: str, program: str):
    assert (
        f"it needs {program}, which is not installed" in GitCommandError(["add"], 1, said).message
    )


def test_a_file_that_is_named_like_a_filter_is_none():
    error = GitCommandError(["add"], 1, "fatal: stat of 'git-fat': No such file or directory")

    assert "not installed" not in error.message
