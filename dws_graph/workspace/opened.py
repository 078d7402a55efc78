"""A workspace on this machine: its files, parameters, resources, journal and index.

`Workspace` (`workspace.py`) adds to it the use cases that are methods by tradition.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dws_graph import __version__
from dws_graph.backends.files import make_folder, write_atomic
from dws_graph.backends.git.command import Git
from dws_graph.backends.index import Index, IndexDamagedError, discard_index, open_index
from dws_graph.backends.journal.instance import make_instance, read_instance
from dws_graph.backends.journal.journal import Draft, Journal
from dws_graph.backends.locks import Lock, Notify, quiet
from dws_graph.errors import (
    ConfigurationError,
    GitError,
    JournalError,
    JournalMisfitError,
    JsonTypeError,
    JsonValueError,
    PathNotAResourceError,
    ViewAmendedError,
    ViewError,
)
from dws_graph.model.amending import Amendments
from dws_graph.model.facts import Line
from dws_graph.model.ids import is_uuid
from dws_graph.model.refs import ResourceRef, normal_subpath
from dws_graph.model.values import Json, parse_json, take, take_or
from dws_graph.resources import registry
from dws_graph.resources.base import Resource
from dws_graph.resources.terms import ResourceRoles, Watch
from dws_graph.resources.uninstalled import resource_of
from dws_graph.workspace import environment, layout
from dws_graph.workspace.metadata import SnapshotMetadata, Stat
from dws_graph.workspace.params import PARAMS, param
from dws_graph.workspace.stats import IndexStatCache

FORMAT = 1
TRIES = 3  # to fold anew while others amend what is folded


class OpenWorkspace:
    """A workspace, opened; make one with `load_workspace` or `find_and_load_workspace`.

    Attributes:
        root: Its folder, the root of its git repository.
        id: UUID of the workspace, the same in every copy.
        instance: UUID of this copy.
        name: Short name.
        dws_version: Of the program that made it.
        batch: Nobody may be asked.
        verbose: Tell more.
        notify: Told, in a line, what a person should know: waiting, recovery, warnings.
        progress: Told how far something long is, where somebody watches.
    """

    def __init__(
        self, root: Path, *, batch: bool = False, verbose: bool = False, notify: Notify = quiet
    ) -> None:
        self.root = root
        self.batch = batch
        self.verbose = verbose
        self.notify = notify
        self.progress: Watch = unwatched
        self.git = Git(root)
        self._held = 0
        self.metadata_seen: dict[str, tuple[Stat, SnapshotMetadata]] = {}  # see `all_metadata`
        self.folder = root / layout.FOLDER
        self.reload()
        self.id = self._find_id()
        self.came_along: str | None
        self.writable = self._make_local_folders()
        self.came_along = None
        self.instance = self._find_instance()
        self.journal = Journal(self.folder, self.id, self.instance, notify, in_git=True)
        self._lock = Lock(self.root / layout.LOCAL / "workspace.lock", "changes it", notify)
        self.index = self._open_index()
        self.journal.renames = lambda: self.index.renames()

    # Files

    def reload(self) -> None:
        """Read the metadata files again."""
        config = self.read_object(layout.CONFIG)
        self.name = take(config, "name", str)
        self.dws_version = take_or(config, "dws-version", str) or ""
        self._global_params = take_or(config, "global_params", dict) or {}
        self._own = self.read_object(layout.OWN, missing_ok=True)
        self._local_params = self.read_object(layout.LOCAL_PARAMS, missing_ok=True)
        self._own_local_params = self.read_object(layout.OWN_LOCAL_PARAMS, missing_ok=True)
        self._resource_local = self.read_object(layout.RESOURCE_LOCAL_PARAMS, missing_ok=True)
        raw = self._read_json(layout.RESOURCES, missing_ok=True)
        if raw is None:
            raw = []
        if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
            raise JsonTypeError("must be a list of objects", file=str(self.root / layout.RESOURCES))
        self.resource_params: list[Json] = raw
        self._resources: dict[str, Resource] = {}

    def _read_json(self, path: str, *, missing_ok: bool = False) -> Any:
        file = self.root / path
        try:
            return parse_json(file.read_bytes(), file=str(file), hint=layout.how_to_mend(path))
        except FileNotFoundError:
            if missing_ok:
                return None
            raise ConfigurationError(f"{file} is missing", hint=layout.how_to_mend(path)) from None

    def read_object(self, path: str, *, missing_ok: bool = False) -> Json:
        """The JSON object of a file of the workspace.

        Args:
            path: From the root.
            missing_ok: An absent file is an empty object.

        Raises:
            ConfigurationError: The file is missing.
            JsonError: It is damaged; names it and the line.
        """
        obj = self._read_json(path, missing_ok=missing_ok)
        if obj is None and missing_ok:
            return {}
        if not isinstance(obj, dict):
            raise JsonTypeError("must be an object", file=str(self.root / path))
        return obj

    def file_content(self, path: str) -> bytes | None:
        """What a file of the workspace holds, by its path from the root; None: it is not there."""
        file = self.root / path
        return file.read_bytes() if file.is_file() else None

    def names_now(self) -> dict[str, str]:
        """{earlier name of a resource that was renamed: its name now}."""
        return Amendments(self.index.renames()).names

    def names_before(self, name: str) -> list[str]:
        """The earlier names of a resource that was renamed, sorted."""
        return sorted(old for old, now in self.names_now().items() if now == name)

    def stat_cache(self, folder: Path) -> IndexStatCache:
        """The hashes of a folder's files that were seen before; see `IndexStatCache`."""
        return IndexStatCache(self.index, folder)

    def known_hashes(self, name: str) -> set[str]:
        """The hashes under which the content of a resource was ever recorded."""
        known = self.index.known(self.id, ResourceRef(name))
        return {cert.hash for cert in known if cert.hash is not None}

    def local_params_of(self, change: Callable[[Json], None]) -> bytes:
        """Where the resources are on this machine, as the file will hold it after a change."""
        changed = dict(self._resource_local)
        change(changed)
        return json_bytes(changed)

    def _find_id(self) -> str:
        if found := take_or(self._own, "workspace_id", str):
            if (version := take_or(self._own, "format", int) or FORMAT) > FORMAT:
                raise ConfigurationError(
                    f"the workspace is of format {version}; this program reads {FORMAT}",
                    hint="Upgrade: pip install --upgrade dws-graph.",
                )
            if not is_uuid(found):
                raise JsonValueError(
                    "workspace_id is no UUID",
                    file=str(self.root / layout.OWN),
                    hint=layout.how_to_mend(layout.OWN),
                )
            return found
        if self.git.text("rev-parse", "--is-shallow-repository") == "true":
            raise GitError(
                f"{self.root} is a shallow clone, which has not the first commit that the "
                "workspace is known by",
                hint="Type: git fetch --unshallow.",
            )
        roots = self.git.text("rev-list", "--max-parents=0", "HEAD").split()
        if not roots:
            raise GitError("the workspace's repository has no commit")
        return str(uuid.uuid5(uuid.NAMESPACE_OID, roots[-1]))

    def _find_instance(self) -> str:
        """This copy's UUID; made on the first look into a fresh clone or a copied folder.

        A read-only folder keeps what it has: nothing is recorded there.
        """
        local = self.root / layout.LOCAL
        found = read_instance(local)
        if not self.writable:
            return found.id if found else str(uuid.uuid4())
        if found is None or not found.here:
            with Lock(local / "journal.lock", "opens it", self.notify).held():
                found = read_instance(local)  # another process may have been here first
                if found is None or not found.here:
                    self.came_along = found.id if found else None
                    if found is not None:
                        Journal(self.folder, self.id, "").set_aside(found.id)
                    found = make_instance(local)
        return found.id

    def _make_local_folders(self) -> bool:
        """The folders that git ignores; False where nothing can be written."""
        if not os.access(self.folder, os.W_OK | os.X_OK):
            return False
        for name in (layout.LOCAL, layout.GRAPH):
            folder = self.root / name
            if not (folder / ".gitignore").exists():
                make_folder(folder)
                write_atomic(folder / ".gitignore", b"*\n", fsync=False)
        make_folder(self.root / layout.CURRENT_LINEAGE)
        return os.access(self.root / layout.LOCAL, os.W_OK | os.X_OK)

    def _open_index(self) -> Index:
        if not self.writable:
            return Index(None)
        known = (self.root / layout.INDEX).exists()
        index, rebuilt = open_index(self.root / layout.INDEX)
        if rebuilt and known:
            self.notify("the index was damaged or of another version: folded again")
        return index

    def reopen_index(self) -> None:
        """Begin the index anew, empty; `catch_up` folds every fact into it again."""
        self.index.close()
        if self.writable:
            discard_index(self.root / layout.INDEX)
        self.index = self._open_index()

    def close(self) -> None:
        """Close its files."""
        self.index.close()

    def __enter__(self) -> OpenWorkspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Facts

    @property
    def is_new_instance(self) -> bool:
        """Whether this copy of the workspace has recorded nothing yet."""
        return self.journal.head().seq == 0

    def catch_up(self, progress: Callable[[int], None] | None = None, *, own: bool = False) -> int:
        """Bring the index up to date with the journal; how many facts it lacked.

        A damaged one is folded anew, and so is one that holds what another instance's journal,
        as git has it, does not: its segment was damaged when it was folded.

        Args:
            progress: Told how many facts each transaction took.
            own: Of this instance's facts alone: a step need not look at what others sealed.
        """
        try:
            lines = self.journal.since(self.index.applied(), own=own)
            return self.index.apply(lines, progress=progress)
        except IndexDamagedError:
            self.heal_index()
        except ViewAmendedError:  # something was undone, or renamed, that was folded before
            return self.fold_anew(progress)
        except JournalMisfitError as e:
            if e.instance == self.instance or not self.writable:
                raise
            self.journal.take_in_anew(e.instance)
            self.notify("the index did not hold what the journal has: folded again")
            return self.fold_anew(progress)
        return self.index.apply(self.journal.since(self.index.applied()), progress=progress)

    def fold_anew(self, progress: Callable[[int], None] | None = None) -> int:
        """Fold every fact into the index anew; how many there are.

        Args:
            progress: Told how many facts each transaction took.
        """
        for left in reversed(range(TRIES)) if self.writable else ():
            try:
                return self.index.apply_anew(self.journal.since, progress=progress)
            except ViewAmendedError:  # by a command that ended meanwhile
                if left == 0:
                    raise
            except IndexDamagedError:
                self.notify("the index was damaged: its file is made anew")
                break
        self.reopen_index()
        return self.index.apply(self.journal.since({}), progress=progress)

    def heal_index(self) -> None:
        """Throw a damaged index away; every fact is in the journal."""
        self.notify("the index was damaged: folded again")
        self.reopen_index()

    def record(self, drafts: Iterable[Draft]) -> list[Line]:
        """Append facts to the journal and fold them into the index."""
        with self.journal.locked():
            lines = self.journal.append(drafts)
            try:
                self.catch_up(own=True)
            except (ViewError, JournalError) as e:
                # the facts are on disk, which is what counts: the next command folds them
                self.notify(f"recorded, but the index is behind: {e.message}")
        return lines

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the workspace's lock: nobody else changes the workspace.

        What a killed process left is finished or undone first, and the files are read again,
        since others may have changed them.
        """
        self.check_writable()
        with self._lock.held():
            self._held += 1
            try:
                if self._held == 1:
                    self.on_locked()
                    self.reload()
                    self.catch_up()
                yield
            finally:
                self._held -= 1

    def on_locked(self) -> None:
        """What is to be done first by whoever changes the workspace; see `recover`."""

    @contextmanager
    def locked_at_once(self) -> Iterator[bool]:
        """Hold the workspace's lock if nobody else does; tells whether."""
        with self._lock.held_at_once() as got:
            yield got

    def check_writable(self) -> None:
        """Refuse to change what cannot be written.

        Raises:
            ConfigurationError: Names the folder.
        """
        if not self.writable:
            raise ConfigurationError(
                f"{self.folder} cannot be written",
                hint="Change its permissions, or work in a clone of the workspace.",
            )

    # Parameters

    def get_global_param(self, param_name: str) -> Any:
        """A parameter of all copies: its value, or its default.

        Raises:
            ParamNotFoundError: There is none of this name and scope.
        """
        return self._param(param_name, "global")

    def get_local_param(self, param_name: str) -> Any:
        """A parameter of this copy: its value, or its default.

        Raises:
            ParamNotFoundError: There is none of this name and scope.
        """
        return self._param(param_name, "local")

    def _param(self, name: str, scope: str) -> Any:
        found = param(name)
        if found.scope != scope:
            raise ConfigurationError(f"'{name}' is a {found.scope} parameter, not a {scope} one")
        return self.param_values().get(name, found.default)

    def param_values(self) -> Json:
        """Every parameter that is set."""
        return {
            name: value
            for name, value in {
                **self._global_params,
                **(take_or(self._own, "params", dict) or {}),
                **self._local_params,
                **self._own_local_params,
            }.items()
            if name in PARAMS
        }

    @property
    def hostname(self) -> str:
        """The name of this machine."""
        return str(self._local_params.get("hostname") or "localhost")

    @property
    def graph_url(self) -> str | None:
        """Where the team's Neo4j is said to be, nobody having looked; None: there is none."""
        return environment.graph_url() or self.get_local_param("graph.url")

    def get_instance(self) -> str:
        """The name of this copy for people and for files of 1.6."""
        return self.hostname

    def local_files(self, *, hostname: str | None = None) -> None:
        """Write the local parameter files, where they are missing, with their defaults."""
        if hostname is not None:
            self._local_params["hostname"] = hostname
            self._write_local(layout.LOCAL_PARAMS, self._local_params)
        missing = [p["name"] for p in self.resource_params if p["name"] not in self._resource_local]
        if missing or not (self.root / layout.RESOURCE_LOCAL_PARAMS).exists():
            for name in missing:
                resource = self.get_resource(name)
                if resource.local_path is not None or not resource.needs_cloning():
                    self._resource_local[name] = resource.get_local_params()
            self._write_local(layout.RESOURCE_LOCAL_PARAMS, self._resource_local)

    def keep_local_params(self, name: str, params: Json) -> None:
        """Write where a resource is on this machine; also of one that is about to be added."""
        self._resource_local[name] = params
        self._write_local(layout.RESOURCE_LOCAL_PARAMS, self._resource_local)

    def write_local_params(self, values: Json) -> None:
        """Write parameters of this copy, 1.6's and our own each to their file."""
        for name, value in values.items():
            target = self._own_local_params if PARAMS[name].own else self._local_params
            if value is None:
                target.pop(name, None)
            else:
                target[name] = value
        self._write_local(layout.LOCAL_PARAMS, self._local_params)
        self._write_local(layout.OWN_LOCAL_PARAMS, self._own_local_params)

    def _write_local(self, path: str, obj: Json) -> None:
        write_atomic(self.root / path, json_bytes(obj))

    def get_scratch_directory(self) -> str:
        """The absolute path of the folder for temporary files; made when missing."""
        local = self.get_local_param("local_scratch_directory")
        path = Path(local) if local else self.root / self.get_global_param("scratch_directory")
        path.mkdir(parents=True, exist_ok=True)
        return str(path)

    def get_workspace_local_path_if_any(self) -> str | None:
        """Its folder."""
        return str(self.root)

    # Resources

    def get_resource_names(self) -> Iterable[str]:
        """In the order in which they were added."""
        return [take(params, "name", str) for params in self.resource_params]

    def get_resource(self, name: str) -> Resource:
        """The resource of this name.

        Raises:
            ConfigurationError: There is none; the hint lists the names.
        """
        if name not in self._resources:
            params = self._params_of(name)
            local = take_or(self._resource_local, name, dict)
            self._resources[name] = resource_of(params, local, self)
        return self._resources[name]

    def get_resources(self) -> Iterable[Resource]:
        """All of them, in the order in which they were added."""
        return [self.get_resource(name) for name in self.get_resource_names()]

    def look_again(self) -> None:
        """Ask again what is asked once a command, of resources that are elsewhere."""
        for resource in self._resources.values():
            resource.look_again()

    def get_resource_role(self, resource_name: str) -> str:
        """The role of a resource, without looking further at it."""
        return take(self._params_of(resource_name), "role", str)

    def get_resource_type(self, resource_name: str) -> str:
        """The type of a resource, as in resources.json."""
        return take(self._params_of(resource_name), "resource_type", str)

    def _params_of(self, name: str) -> Json:
        for params in self.resource_params:
            if params.get("name") == name:
                return params
        names = ", ".join(self.get_resource_names()) or "none yet"
        raise ConfigurationError(
            f"there is no resource '{name}' in this workspace", hint=f"There are: {names}."
        )

    def validate_resource_name(
        self, resource_name: str, subpath: str | None = None, expected_role: str | None = None
    ) -> None:
        """Refuse a ref that does not exist here, or has another role.

        Raises:
            ConfigurationError: Names it and what does not fit.
        """
        role = self.get_resource_role(resource_name)
        if expected_role is not None and role != expected_role:
            raise ConfigurationError(
                f"resource '{resource_name}' has the role {role}, not {expected_role}"
            )
        if subpath is not None:
            self.get_resource(resource_name).validate_subpath_exists(subpath)

    def map_local_path_to_resource(
        self, path: str, expecting_a_code_resource: bool = False
    ) -> ResourceRef:
        """The ref of a path on disk, which need not exist.

        Args:
            path: Absolute, or from the current directory.
            expecting_a_code_resource: Only resources of role code count.

        Raises:
            PathNotAResourceError: It lies in none.
        """
        real = Path(os.path.expanduser(path)).resolve()
        best: tuple[int, ResourceRef] | None = None
        for resource in self.get_resources():
            if expecting_a_code_resource and resource.role != ResourceRoles.CODE:
                continue
            if resource.local_path is None:
                continue
            base = resource.local_path.resolve()
            if real.is_relative_to(base):
                below = real.relative_to(base).as_posix()
                ref = ResourceRef(resource.name, normal_subpath(below))
                if best is None or len(base.parts) > best[0]:
                    best = (len(base.parts), ref)
        if best is None:
            kind = "code resource" if expecting_a_code_resource else "resource"
            raise PathNotAResourceError(
                f"{path} lies in no {kind} of the workspace {self.name}",
                hint="Add its folder: dws add git PATH, or dws add local-files PATH.",
            )
        return best[1]

    def validate_local_path_for_resource(
        self, proposed_resource_name: str, proposed_local_path: str
    ) -> None:
        """Refuse a folder that overlaps with another resource or is the workspace itself.

        Raises:
            ConfigurationError: Names the resource it overlaps with.
        """
        real = Path(os.path.expanduser(proposed_local_path)).resolve()
        if self.root.resolve().is_relative_to(real):
            raise ConfigurationError(
                f"{real} holds the whole workspace",
                hint="Give a folder below the workspace's, or one elsewhere.",
            )
        for own in (layout.FOLDER, ".git"):
            if real.is_relative_to((self.root / own).resolve()):
                raise ConfigurationError(f"{real} is where the workspace keeps its own files")
        for resource in self.get_resources():
            if resource.local_path is None or resource.name == proposed_resource_name:
                continue
            other = resource.local_path.resolve()
            if real == other:
                raise ConfigurationError(f"{real} is resource '{resource.name}' already")
            if real.is_relative_to(other) or other.is_relative_to(real):
                where = "inside" if real.is_relative_to(other) else "around"
                raise ConfigurationError(
                    f"{real} lies {where} the resource '{resource.name}', {other}",
                    hint="Resources must not lie within one another.",
                )

    def suggest_resource_name(self, resource_type: str, role: str, *args: Any) -> str:
        """A name for a new resource that no other has."""
        taken = {name.casefold() for name in self.get_resource_names()}
        name = registry.factory(resource_type).suggest_name(self, role, *args)
        if name.casefold() not in taken:
            return name
        name = base = f"{name}-{role}"
        n = 2
        while name.casefold() in taken:
            name = f"{base}-{n}"
            n += 1
        return name


def unwatched(what: str, done: int, total: int) -> None:
    """A `Watch` for those whom nobody looks at."""


def json_bytes(obj: Any) -> bytes:
    """A metadata file as 1.6 writes it."""
    return json.dumps(obj, indent=2).encode()


def new_config(name: str, global_params: Json) -> Json:
    """`config.json` of a new workspace."""
    return {"name": name, "dws-version": __version__, "global_params": global_params}
