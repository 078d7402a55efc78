"""A folder here, and a remote that the program rclone copies to or from; see `rclone.py`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dws_graph.backends.files import make_folder
from dws_graph.errors import ConfigurationError, JsonValueError, some_of
from dws_graph.model.values import Json, take, take_or
from dws_graph.resources import in_step
from dws_graph.resources import rclone_program as program
from dws_graph.resources.base import Resource
from dws_graph.resources.cloning import appearing
from dws_graph.resources.local_files import LocalFileResource, as_bool
from dws_graph.resources.rclone_errors import RcloneError
from dws_graph.resources.rclone_staging import beside, put_in_place
from dws_graph.resources.terms import LINEAGE_FILE, ResourceWorkspace

RCLONE = "rclone"
NONE, REMOTE, LOCAL = "none", "remote", "local"
MASTERS = (NONE, REMOTE, LOCAL)
COPY, SYNC = "copy", "sync"
SYNC_MODES = (COPY, SYNC)
BY_HAND = "it has no master: copy it with rclone yourself"
CHANGEABLE = ("master", "sync_mode", "size_only")
NAMED = 3  # files in a message
NEW_CONFIG = "Give the path of one: --config FILE; or leave --config out, for rclone's own."
MOVED_CONFIG = (
    "Bring it back; or say where it is on this machine, as `config` of the resource "
    "in .dataworkspace/resource_local_params.json."
)


class RcloneResource(LocalFileResource):
    """See the module.

    Attributes:
        remote: `name:path`, the name being one of the user's rclone configuration.
        config: The configuration file, on the machine where the resource was added; None for
            rclone's default one.
        my_config: The same on this machine, if elsewhere.
        master: Which of both sides is copied to the other: one of `MASTERS`.
        sync_mode: Whether files that the master does not have are deleted: one of `SYNC_MODES`.
        size_only: Whether files of one size count as the same.
    """

    def __init__(self, params: Json, local_params: Json, workspace: ResourceWorkspace) -> None:
        """As resources.json has it; what 1.6 wrote, or left out, stays as it is there."""
        # 1.6 has `local_path`, too, in what it wrote first; and reads `my_local_path`
        place = take_or(params, "global_local_path", str) or take(params, "local_path", str)
        super().__init__(
            take(params, "name", str),
            take(params, "role", str),
            workspace,
            resource_type=RCLONE,
            global_local_path=place,
            my_local_path=take_or(local_params, "local_path", str)
            or take_or(local_params, "my_local_path", str),
            compute_hash=take_or(params, "compute_hash", bool) or False,
            export=take_or(params, "export", bool) or False,
            imported=take_or(params, "imported", bool) or False,
        )
        self.remote = take(params, "remote_origin", str)
        self.config = take_or(params, "config", str)
        self.my_config = take_or(local_params, "config", str)
        self.master = _one_of(MASTERS, params, "master")
        self.sync_mode = _one_of(SYNC_MODES, params, "sync_mode")
        self.size_only = take_or(params, "size_only", bool) or False
        self._params = dict(params)
        self._known_here = not local_params.keys().isdisjoint(("local_path", "my_local_path"))

    def get_params(self) -> Json:
        """See `Resource`."""
        return dict(self._params)

    @property
    def changeable(self) -> Sequence[str]:
        """See `Resource`."""
        return (*super().changeable, *CHANGEABLE)

    def with_param(self, name: str, value: Any) -> Json:
        """See `Resource`: `master`, `sync_mode`, `size_only`; None for their defaults."""
        if name not in CHANGEABLE:
            return Resource.with_param(self, name, value)
        params = self.get_params()
        if name == "size_only":
            return {**params, name: value is not None and as_bool(name, value)}
        choices = MASTERS if name == "master" else SYNC_MODES
        if value is not None and value not in choices:
            raise ConfigurationError(
                f"'{value}' is no {name}", hint=f"One of: {', '.join(choices)}."
            )
        check_master(value or choices[0], imported=self.imported)
        return {**params, name: value or choices[0]}

    def get_local_params(self) -> Json:
        """See `Resource`."""
        mine = {} if self.my_config is None else {"config": self.my_config}
        return {"local_path": self.my_local_path, **mine}

    @property
    def local_path(self) -> Path | None:
        """Where it is on this machine; None where nobody said so yet.

        The place where it was added is not taken for it: another workspace may have it there.
        """
        return self.place if self._known_here else None

    def needs_cloning(self) -> bool:
        """See `Resource`."""
        return not self.is_here()

    # Sharing

    def shared_at(self) -> str | None:
        """See `Resource`."""
        return self.remote

    def not_pushed(self) -> str | None:
        """See `Resource`."""
        return {LOCAL: None, REMOTE: "its master is the remote"}.get(self.master, BY_HAND)

    def not_pulled(self) -> str | None:
        """See `Resource`."""
        return {REMOTE: None, LOCAL: "its master is the folder here"}.get(self.master, BY_HAND)

    def tells_incoming(self) -> bool:
        """See `Resource`: rclone finds out while it copies."""
        return False

    def push_precheck(self) -> None:
        """See `Resource`: with sync, nothing is deleted at the remote that was never here."""
        if self.not_pushed() is not None:
            return
        config = self.usable_config()
        if not program.check_there(self.remote, config, may_be_missing=True):
            return
        if self.sync_mode == SYNC:
            self._check_deletions(config)

    def _check_deletions(self, config: Path | None) -> None:
        hint = f"Bring them here: rclone copy {self.remote} {self.folder}; or delete them there."
        if not in_step.stamps_in(self.folder):
            raise ConfigurationError(
                f"{self} is empty here, and a push would delete all that is at '{self.remote}'",
                hint=hint,
            )
        if self._noted() is not None:
            return
        found = program.compare(
            self.remote, str(self.folder), self.remote, config, rules=self._rules(), sizes=True
        )
        if found.missing:
            raise ConfigurationError(
                f"{self}: '{self.remote}' has files that were never here, which a push would "
                f"delete: {some_of(list(found.missing), NAMED)}",
                hint=hint,
            )

    def push(self) -> bool:
        """See `Resource`."""
        files = in_step.stamps_in(self.folder)
        self._tell_of_names(files)
        moved = self._transfer(str(self.folder), self.remote, self._rules())
        self._note(files)
        return moved > 0

    def pull_precheck(self) -> None:
        """See `Resource`: no edit made here is overwritten, or deleted."""
        if self.not_pulled() is not None:
            return
        config = self.usable_config()
        is_anything = program.check_there(self.remote, config)
        files = in_step.stamps_in(self.folder)
        if self.sync_mode == SYNC and files and not is_anything:
            raise ConfigurationError(
                f"{self}: there is nothing at '{self.remote}', and a pull would delete all that "
                "is here",
                hint=f"See whether that is meant: rclone lsf {self.remote}.",
            )
        if edited := self._edited(files, config):
            raise ConfigurationError(
                f"{self} was changed here, and a pull would overwrite that: "
                f"{some_of(edited, NAMED)}",
                hint=f"Its master is '{self.remote}': bring the files there with rclone, or move "
                "them away; then type: dws pull.",
            )

    def _edited(self, files: dict[str, in_step.Stamp], config: Path | None) -> list[str]:
        """Files that were changed since they came from the remote, and are not as there."""
        noted = self._noted()
        if noted is None:
            suspect = [] if self._is_known_content() else list(files)
        else:
            suspect = [name for name, stamp in files.items() if noted.files.get(name) != stamp]
        links = set(in_step.links_in(self.folder))
        suspect = [name for name in suspect if name not in links and not self._is_ours(name)]
        if not suspect:
            return []
        found = program.compare(
            str(self.folder),
            self.remote,
            self.remote,
            config,
            rules=program.only(suspect),
            sizes=self.size_only,
        )
        lost = {*found.changed, *(found.missing if self.sync_mode == SYNC else ())}
        was_begun = noted is not None and noted.under_way
        if not (found.by_hash or self.size_only or was_begun):
            lost |= {program.shown_name(name) for name in suspect} - set(found.missing)
        return sorted(name for name in suspect if program.shown_name(name) in lost)

    def _is_known_content(self) -> bool:
        """Whether what is here was recorded: by a snapshot, here or of whoever shares it."""
        now = self.content()
        hashes = self.workspace.known_hashes(self.name)
        return now.hash in hashes or now.known_as in {self.known_as(known) for known in hashes}

    def pull(self) -> tuple[str, ...]:
        """See `Resource`."""
        noted = self._noted()
        self._note({} if noted is None else dict(noted.files), under_way=True)
        own = [name for name in (LINEAGE_FILE,) if self._is_ours(name)]
        rules = [*self._rules(), *program.leaving([*in_step.links_in(self.folder), *own])]
        with beside(self.folder) as staged:
            if staged is not None:
                self._bring_whole(staged, rules)
        # what is left: to delete what is gone there
        self._transfer(self.remote, str(self.folder), rules)
        self._note(in_step.stamps_in(self.folder))
        return ()

    def _bring_whole(self, staged: Path, rules: Sequence[str]) -> None:
        """Bring what is new or changed; where that fails, the files that came whole."""
        try:
            self._transfer(self.remote, str(staged), rules, but=self.folder)
        except RcloneError as e:
            if e.status in program.TIDY:
                put_in_place(staged, self.folder)
            raise
        put_in_place(staged, self.folder)

    def _is_ours(self, name: str) -> bool:
        """Whether a snapshot writes this file here, whatever is at the remote."""
        return name == LINEAGE_FILE and self.export

    def _rules(self) -> list[str]:
        return program.leaving(in_step.ignored_in(self.folder))

    def _transfer(
        self, source: str, target: str, rules: Sequence[str] = (), but: Path | None = None
    ) -> int:
        def report(done: int, total: int, what: str) -> None:
            self.workspace.progress(f"{self.name} ({what})", done, total)

        return program.transfer(
            source,
            target,
            self.remote,
            self.usable_config(),
            sync=self.sync_mode == SYNC and but is None,
            size_only=self.size_only,
            rules=rules,
            but=but,
            report=report,
        )

    def usable_config(self, where: str = MOVED_CONFIG) -> Path | None:
        """Rclone's configuration file for it; None for the default one.

        Args:
            where: What to do where the file is not there.

        Raises:
            ConfigurationError: It is not here; or it came with the workspace, as no file may that
                says what programs to run.
        """
        program.check_remote(self.remote)
        given = self.my_config or self.config
        return None if given is None else checked_config(given, self.workspace, where)

    def _tell_of_names(self, files: dict[str, in_step.Stamp]) -> None:
        """Names that not every remote can hold: rclone then writes them otherwise there."""
        odd = [name for name in files if program.shown_name(name) != name or not _is_utf8(name)]
        if odd:
            shown = some_of([os.fsencode(name).decode("utf-8", "backslashreplace") for name in odd])
            self.workspace.notify(
                f"{self}: names with line breaks or bytes that are not UTF-8, which rclone may "
                f"write otherwise at '{self.remote}': {shown}"
            )

    # What was the same on both sides

    def _noted(self) -> in_step.InStep | None:
        for name in (self.name, *self.workspace.names_before(self.name)):
            path = in_step.note_path(self.workspace.root, name)
            if (found := in_step.read_note(path, self.place, self.remote)) is not None:
                return found
        return None

    def is_as_noted(self) -> bool:
        """Whether its folder is one that was filled from this remote, for this resource."""
        return self._noted() is not None

    def _note(self, files: dict[str, in_step.Stamp], *, under_way: bool = False) -> None:
        noted = in_step.InStep(
            folder=str(self.place), remote=self.remote, files=files, under_way=under_way
        )
        in_step.write_note(in_step.note_path(self.workspace.root, self.name), noted)

    # The first copy

    def copy_down(self, check: Callable[[Path], None] = lambda _: None) -> None:
        """Make the folder: with what is at the remote, unless the master is here.

        Args:
            check: Refuses, before the folder appears, what came.
        """
        if self.master != LOCAL:
            program.check_there(self.remote, self.usable_config())
        with appearing(self.place) as target:
            make_folder(target)
            if self.master != LOCAL:
                self._transfer(self.remote, str(target))
            check(target)
            if self.master != LOCAL:  # before it appears: one that no note knows is somebody else's
                self._note(in_step.stamps_in(target))


def check_master(master: str, *, imported: bool) -> None:
    """Refuse to copy to the remote what another workspace exported there.

    Raises:
        ConfigurationError: It is imported, and the master would be here.
    """
    if imported and master == LOCAL:
        raise ConfigurationError(
            "an imported resource is only read: its master cannot be here",
            hint="Give it the master remote, or none.",
        )


def checked_config(given: str, workspace: ResourceWorkspace, where: str) -> Path:
    """A configuration file of the user's own.

    Args:
        given: Its path.
        workspace: Of the resource.
        where: What to do where it is not there.

    Raises:
        ConfigurationError: It is not there; or it lies in the workspace, where it would be
            committed with its keys, or came from elsewhere with commands to run.
    """
    path = Path(os.path.expanduser(given))
    if not path.is_absolute():
        path = workspace.root / path
    if path.resolve().is_relative_to(workspace.root.resolve()):
        raise ConfigurationError(
            f"rclone's configuration {path} lies in the workspace, which is shared",
            hint="Keep it elsewhere: it holds keys, and says what programs rclone runs.",
        )
    if not path.is_file():
        raise ConfigurationError(
            f"rclone's configuration {path} is not there",
            hint=where,
        )
    return path


def _one_of(choices: Sequence[str], params: Json, key: str) -> str:
    found = take_or(params, key, str) or choices[0]
    if found not in choices:
        raise JsonValueError(f"is none of {', '.join(choices)}: '{found}'", key=key)
    return found


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
