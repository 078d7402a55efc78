"""Type `sqlite`: an SQLite file, known by its tables; each of them can be named as a subpath.

A table's hash is that of its text: a line with its schema, then a line for each row, sorted. The
hash of the whole is that of the list of tables. A snapshot keeps these texts in the workspace.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from dws_graph.errors import ConfigurationError
from dws_graph.workspace import (
    Argument,
    Content,
    Fingerprint,
    LocalStateResourceMixin,
    Resource,
    ResourceFactory,
    ResourceRoles,
    Taken,
    inside,
)

SQLITE = "sqlite"
ROLES = (ResourceRoles.SOURCE_DATA_SET, ResourceRoles.INTERMEDIATE_DATA)
OBJECTS = """
SELECT tbl_name, type, name, sql FROM sqlite_master
WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
ORDER BY tbl_name, type IN ('index', 'trigger'), name
"""
RECENT = 2_000_000_000  # ns: a write so near could leave the same time of change
FORBIDDEN = (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA)


class SqliteResource(Resource, LocalStateResourceMixin):
    """See the module.

    Attributes:
        path: Where it was added: from the workspace's root, if inside.
        my_path: Where it is on this machine, if elsewhere.
    """

    keeps = True

    def __init__(
        self, name: str, role: str, workspace: Any, path: str, my_path: str | None = None
    ) -> None:
        super().__init__(SQLITE, name, role, workspace)
        self.path = path
        self.my_path = my_path

    def get_params(self) -> dict[str, Any]:
        return {
            "resource_type": SQLITE,
            "name": self.name,
            "role": self.role,
            "path": self.path,
        }

    def get_local_params(self) -> dict[str, Any]:
        return {"local_path": self.my_path}

    @property
    def local_path(self) -> Path:
        if self.my_path is None and not os.path.isabs(self.path):
            return inside(self.workspace.root, self.path)  # others have committed it
        return self.workspace.root / (self.my_path or self.path)

    # Its state

    def fingerprint(self, subpath: str | None = None) -> Fingerprint:
        taken = time.time_ns()
        return Fingerprint(f"{self._stat()}-{self._hash(subpath)}", taken)

    def unchanged(self, subpath: str | None, fingerprint: Fingerprint) -> bool:
        stat, _, hashval = fingerprint.digest.partition("-")
        if stat == self._stat() and not self._is_recent(fingerprint.taken):
            return True
        return hashval == self._hash(subpath)

    def content(self, subpath: str | None = None, *_: Any, **__: Any) -> Content:
        tables = self._tables()
        root = hash_of(listing(tables))
        return Content(root, None if subpath is None else tables.get(subpath), root)

    def known_as(self, hashval: str) -> str:
        return hashval

    def files_now(self, cache: Any = None) -> dict[bytes, str]:
        return {os.fsencode(name): hashval for name, hashval in self._tables().items()}

    def files_at(self, hashval: str) -> dict[bytes, str] | None:
        tables = self._kept_tables(hashval)
        if tables is None:
            return None
        return {os.fsencode(name): table for name, table in tables.items()}

    def held(self, hashval: str, subpath: str) -> bool | None:
        tables = self._kept_tables(hashval)
        return None if tables is None else subpath in tables

    def does_subpath_exist(
        self, subpath: str, must_be_file: bool = False, must_be_directory: bool = False
    ) -> bool:
        return self.is_here() and not must_be_directory and subpath in self._tables()

    # Snapshots

    def snapshot_precheck(self) -> None:
        self._tables()

    def take_snapshot(self, *_: Any) -> Taken:
        with self._open() as db:
            texts = table_texts(db)
        tables = {name: hash_of(text) for name, text in texts.items()}
        kept = {hash_of(text): text for text in texts.values()}
        root = hash_of(listing(tables))
        return Taken(
            root,
            root,
            files=self.kept_files({**kept, root: listing(tables)}),
            subpath_hash=lambda subpath: root if subpath is None else tables.get(subpath),
            known_as=root,
        )

    def restore_precheck(self, restore_hashval: str) -> None:
        for table in (self._kept_tables(restore_hashval, strict=True) or {}).values():
            self._kept(table)
        if self.is_here():
            with self._open() as db:
                self._check_kept(db)

    def save_uncommitted(self) -> str | None:
        return self.content().hash  # a snapshot holds it, or there would be no restore

    def restore(self, restore_hashval: str) -> tuple[str, ...]:
        self.restore_precheck(restore_hashval)
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")  # whoever writes has done so, or waits
            self._check_kept(db)
            self._fill(db, restore_hashval)
        return ()

    # Sharing: what snapshots keep comes and goes with the workspace

    def not_pushed(self) -> str:
        return "its rows are in the workspace's snapshots"

    def needs_cloning(self) -> bool:
        return not self.local_path.is_file()

    def bring(self, restore_hashval: str | None) -> None:
        partial = self.local_path.with_name(f".~{self.local_path.name}")
        partial.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        try:
            with self._connected(partial) as db:
                db.execute("VACUUM")  # or an empty one would be no SQLite file
                if restore_hashval is not None:
                    db.execute("BEGIN IMMEDIATE")
                    self._fill(db, restore_hashval)
            partial.replace(self.local_path)
        finally:
            partial.unlink(missing_ok=True)

    # How

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        if not self.is_here():
            raise ConfigurationError(
                f"the file of {self}, {self.local_path}, does not exist",
                hint="Bring it back, or type: dws pull.",
            )
        with self._connected(self.local_path) as db:
            yield db

    @contextmanager
    def _connected(self, path: Path) -> Iterator[sqlite3.Connection]:
        """A file, opened; what sqlite3 says against it becomes one sentence."""
        try:
            with closing(sqlite3.connect(path, isolation_level=None)) as db:
                yield db
        except sqlite3.Error as e:
            raise ConfigurationError(
                f"the file of {self}, {path}, cannot be used: {e}",
                hint="See whether another program holds it, or whether it is an SQLite file.",
            ) from e

    def _tables(self) -> dict[str, str]:
        with self._open() as db:
            return {name: hash_of(text) for name, text in table_texts(db).items()}

    def _hash(self, subpath: str | None) -> str:
        if not self.is_here():
            return "missing"
        tables = self._tables()
        return hash_of(listing(tables)) if subpath is None else tables.get(subpath, "missing")

    def _stat(self) -> str:
        found = [_stat_of(Path(f"{self.local_path}{end}")) for end in ("", "-wal", "-journal")]
        return hash_of(repr(found).encode())

    def _is_recent(self, taken: int) -> bool:
        found = _stat_of(self.local_path)
        return found is None or max(found[1:3]) >= taken - RECENT

    def _kept(self, hashval: str) -> bytes:
        text = self.kept_file(hashval)
        if text is None or hash_of(text) != hashval:
            raise ConfigurationError(
                f"the workspace does not hold {hashval[:12]}, a part of {self}",
                hint="Type: dws pull. If it was damaged: git checkout HEAD -- .dataworkspace/kept.",
            )
        return text

    def _kept_tables(self, hashval: str, *, strict: bool = False) -> dict[str, str] | None:
        if not strict and self.kept_file(hashval) is None:
            return None
        return dict(json.loads(self._kept(hashval)))

    def _check_kept(self, db: sqlite3.Connection) -> None:
        """Refuse to overwrite rows that no snapshot holds."""
        tables = {name: hash_of(text) for name, text in table_texts(db).items()}
        if self.kept_file(hash_of(listing(tables))) is None:
            changed = [name for name, hashval in tables.items() if self.kept_file(hashval) is None]
            what = f"table '{changed[0]}' of {self} has" if changed else f"{self} has"
            raise ConfigurationError(
                f"{what} changes that no snapshot holds", hint="Keep them first: dws snapshot."
            )

    def _fill(self, db: sqlite3.Connection, hashval: str) -> None:
        tables = self._kept_tables(hashval, strict=True) or {}
        replace_tables(db, [self._kept(table) for table in tables.values()])


def hash_of(text: bytes) -> str:
    return hashlib.sha1(text, usedforsecurity=False).hexdigest()


def listing(tables: dict[str, str]) -> bytes:
    """The tables and their hashes, as the text that a snapshot keeps."""
    return json.dumps(sorted(tables.items()), indent=0).encode()


def table_texts(db: sqlite3.Connection) -> dict[str, bytes]:
    """Each table (and view) as a text; all of one moment."""
    own_transaction = not db.in_transaction
    if own_transaction:
        db.execute("BEGIN")
    schemas: dict[str, list[tuple[str, str]]] = {}
    for table, kind, _, sql in db.execute(OBJECTS):
        schemas.setdefault(table, []).append((kind, sql))
    texts = {table: table_text(db, table, schema) for table, schema in schemas.items()}
    if own_transaction:
        db.execute("COMMIT")
    return texts


def table_text(db: sqlite3.Connection, table: str, schema: Sequence[tuple[str, str]]) -> bytes:
    head = json.dumps({"table": table, "schema": schema})
    if schema[0][0] != "table":  # a view has no rows of its own
        return f"{head}\n".encode()
    rows = db.execute(f"SELECT * FROM {quoted(table)}")  # quoted
    lines = sorted(json.dumps([_plain(value) for value in row]) for row in rows)
    return "".join(f"{line}\n" for line in [head, *lines]).encode()


def replace_tables(db: sqlite3.Connection, texts: Sequence[bytes]) -> None:
    """Put these tables in the place of those that there are; the caller has begun a transaction.

    A text may come from a stranger: what would reach another file is not allowed.
    """
    existing = list(db.execute(OBJECTS))
    for _, kind, name, _ in existing:
        if kind in ("table", "view"):
            db.execute(f"DROP {kind.upper()} {quoted(name)}")
    db.set_authorizer(_allow)
    later: list[str] = []
    for text in texts:
        head, *lines = text.decode().splitlines()
        about = json.loads(head)
        (kind, sql), *more = about["schema"]
        later += [statement for _, statement in more]
        if kind == "view":
            later.append(sql)
            continue
        db.execute(sql)
        for line in lines:
            row = [_value(value) for value in json.loads(line)]
            places = ", ".join("?" * len(row))
            db.execute(f"INSERT INTO {quoted(about['table'])} VALUES ({places})", row)
    for statement in later:  # a trigger made earlier would see the rows come
        db.execute(statement)
    db.execute("COMMIT")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _allow(action: int, *_: object) -> int:
    return sqlite3.SQLITE_DENY if action in FORBIDDEN else sqlite3.SQLITE_OK


def _plain(value: Any) -> Any:
    return {"blob": value.hex()} if isinstance(value, bytes) else value


def _value(value: Any) -> Any:
    return bytes.fromhex(value["blob"]) if isinstance(value, dict) else value


def _stat_of(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


class SqliteFactory(ResourceFactory):
    """Makes `SqliteResource`."""

    summary = "The tables of an SQLite file."
    arguments = (Argument("path", "The file."),)
    roles = ROLES

    def from_command_line(
        self, role: str, name: str, workspace: Any, *args: Any, **kwargs: Any
    ) -> SqliteResource:
        return self._add(role, name, workspace, *args, **kwargs)

    def _add(self, role: str, name: str, workspace: Any, path: str) -> SqliteResource:
        if role not in ROLES:
            raise ConfigurationError(
                f"an SQLite file has the role {' or '.join(ROLES)}, not {role}",
                hint=f"Add it with --role {ROLES[0]}.",
            )
        file = Path(path).expanduser().resolve()
        root = workspace.root.resolve()
        kept = file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
        made = SqliteResource(name, role, workspace, kept)
        made.snapshot_precheck()
        return made

    def from_json(
        self, params: dict[str, Any], local_params: dict[str, Any], workspace: Any
    ) -> SqliteResource:
        name, role, path = params["name"], params["role"], params["path"]
        return SqliteResource(name, role, workspace, path, local_params.get("local_path"))

    def has_local_state(self) -> bool:
        return True

    def clone(self, params: dict[str, Any], workspace: Any, ask: Any = None) -> SqliteResource:
        here = self.from_json(params, {}, workspace)
        if not os.path.isabs(here.path):
            return here
        question = f"Where is the SQLite file '{here.name}' to be put?"
        default = str(workspace.root / os.path.basename(here.path))
        where = os.path.abspath(ask(question, default) if ask else default)
        return self.from_json(params, {"local_path": where}, workspace)


FACTORY = SqliteFactory()
