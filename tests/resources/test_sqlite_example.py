"""A resource type of another package, examples/sqlite-tables: the contract, and what is its own."""

from __future__ import annotations

import importlib
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dws_graph.lineage.surroundings import surroundings
from dws_graph.resources import registry
from dws_graph.workspace import find_and_load_workspace
from tests.cli.conftest import Dws
from tests.resources.contract import NAME, Contract, Journey, Kind
from tests.rules.lab import git

pytestmark = pytest.mark.slow
EXAMPLE = Path(__file__).parents[2] / "examples" / "sqlite-tables"
MODULE = "dws_sqlite_tables"


@pytest.fixture(scope="session")
def _site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as pip installs it."""
    site, source = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("source") / "example"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("__pycache__"))
    words = ("--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    command = [sys.executable, "-m", "pip", "install", *words, "--target", str(site), str(source)]
    subprocess.run(command, check=True)
    return site


@pytest.fixture(autouse=True)
def _installed(_site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example, found in this process while a test runs, and no longer."""
    monkeypatch.syspath_prepend(str(_site))
    registry.forget()
    surroundings.cache_clear()
    yield
    monkeypatch.undo()
    registry.forget()
    surroundings.cache_clear()  # else steps of other tests would have run with the example
    sys.modules.pop(MODULE, None)
    importlib.invalidate_caches()


def make_tables(file: Path, version: int) -> None:
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("CREATE TABLE IF NOT EXISTS part (n INTEGER)")
        db.execute("CREATE TABLE IF NOT EXISTS still (word TEXT, data BLOB, real REAL)")
        db.execute("DELETE FROM part")
        db.execute("DELETE FROM still")
        db.execute("INSERT INTO part VALUES (?)", (version,))
        db.execute("INSERT INTO still VALUES ('a\nb', x'00ff', 0.5), (NULL, NULL, 1e300)")


def rows(file: Path, table: str = "part") -> list[Any]:
    with closing(sqlite3.connect(file)) as db:
        return sorted(db.execute(f'SELECT * FROM "{table}"'), key=repr)


class SqliteKind(Kind):
    resource_type = "sqlite"
    refused_roles = ("code", "results")
    part, still = "part", "still"

    def create(self, root: Path) -> list[str]:
        self.write(root, 1)
        return ["sqlite", str(root / "thing.db")]

    def write(self, root: Path, version: int) -> None:
        make_tables(root / "thing.db", version)

    def read(self, root: Path) -> int | None:
        file = root / "thing.db"
        return int(rows(file)[0][0]) if file.exists() else None


class TestSqlite(Contract):
    kind = SqliteKind()


@pytest.fixture
def shop(folder: Path, dws: Dws, monkeypatch: pytest.MonkeyPatch) -> Journey:
    return TestSqlite().made(folder, dws, monkeypatch, "source-data")


def test_the_command_line_offers_it(folder: Path, dws: Dws) -> None:
    dws("init")
    helped = dws("add", "-h").out
    assert "Types of other packages:\n  sqlite  The tables of an SQLite file." in helped
    assert "PATH: The file." in dws("add", "sqlite", "-h").out
    assert "Missing argument 'PATH'" in dws.refused("add", "sqlite", status=2)
    assert "Did you mean sqlite?" in dws.refused("add", "sqlit", status=2)
    assert "--role is missing" in dws.refused("--batch", "add", "sqlite", "x.db")
    make_tables(folder / "shop.db", 1)
    said = dws("add", "sqlite", "--role", "s", "shop.db").out
    assert said == "Added resource shop.db (sqlite) with the role source-data.\n"
    assert "/shop.db" in (folder / ".gitignore").read_text().splitlines()


def test_without_its_package_a_workspace_says_what_is_missing(shop: Journey) -> None:
    shop("snapshot", "v1")
    sys.path.pop(0)
    registry.forget()
    shop("report", "status")
    err = shop.refused("snapshot", "v2")
    assert "resources of type 'sqlite' are not supported here" in err
    assert "Install a package with the entry point sqlite" in err


def test_rows_in_another_order_are_the_same(shop: Journey) -> None:
    shop("snapshot", "v1")
    with closing(sqlite3.connect(shop.root / "thing.db")) as db, db:
        kept = list(db.execute("SELECT * FROM still"))
        db.execute("DELETE FROM still")
        db.executemany("INSERT INTO still VALUES (?, ?, ?)", kept[::-1])
        db.execute("PRAGMA user_version = 7")
    assert shop.difference("v1")["change"] == "same"
    assert shop.change() is False


def test_schemas_indexes_triggers_and_views_come_back(shop: Journey) -> None:
    file = shop.root / "thing.db"
    made = [
        'CREATE TABLE "odd ""name" (a PRIMARY KEY, b) WITHOUT ROWID',
        'CREATE INDEX by_b ON "odd ""name" (b)',
        'CREATE TRIGGER bump AFTER INSERT ON "odd ""name" BEGIN UPDATE part SET n = n + 1; END',
        'CREATE VIEW seen AS SELECT * FROM "odd ""name"',
    ]
    with closing(sqlite3.connect(file)) as db, db:
        for sql in made:
            db.execute(sql)
        db.execute('INSERT INTO "odd ""name" VALUES (1, 2)')
    before = rows(file), rows(file, 'odd ""name'), rows(file, "still")
    shop("snapshot", "v1")
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("DROP VIEW seen")
        db.execute('DROP TABLE "odd ""name"')
        db.execute("CREATE TABLE fresh (x)")
    assert shop.difference("v1")["files"] == {
        "added": ["fresh"],
        "changed": [],
        "removed": ['odd "name', "seen"],
    }
    shop("snapshot", "v2")

    shop("restore", "v1")

    assert (rows(file), rows(file, 'odd ""name'), rows(file, "still")) == before
    with closing(sqlite3.connect(file)) as db:
        found = {sql for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL")}
    assert found >= set(made)
    assert not any("fresh" in sql for sql in found)


def test_rows_that_no_snapshot_holds_refuse_a_restore(shop: Journey) -> None:
    shop("snapshot", "v1")
    shop.write(2)
    err = shop.refused("restore", "v1")
    assert "table 'part' of resource 'thing' has changes that no snapshot holds" in err
    assert "dws snapshot" in err
    assert shop.read() == 2


def test_a_file_that_another_program_holds_is_named(shop: Journey) -> None:
    shop("snapshot", "v1")
    shop.write(2)
    shop("snapshot", "v2")
    with closing(sqlite3.connect(shop.root / "thing.db", isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        err = shop.refused("restore", "v1")
    assert "thing.db, cannot be used: database is locked" in err
    assert shop.read() == 2
    (shop.root / "thing.db").write_text("no database at all, though long enough to be one")
    assert "cannot be used: file is not a database" in shop.refused("snapshot", "v3")


@pytest.mark.parametrize("path", ["../outside.db", ".git/hooks/post-commit", ".dataworkspace/x.db"])
def test_a_path_from_elsewhere_leads_nowhere_else(shop: Journey, tmp_path: Path, path: str) -> None:
    shop("snapshot", "v1")
    file = shop.root / ".dataworkspace" / "resources.json"
    file.write_text(file.read_text().replace('"thing.db"', json.dumps(path)))
    git("commit", "-qam", "harm", cwd=shop.root)
    clone = tmp_path / "clone"
    git("clone", "-q", str(shop.root), str(clone), cwd=tmp_path)
    other = shop.at(clone)
    assert "Traceback" not in other.run("pull").err
    with (
        pytest.raises(Exception, match=r"leads out|keeps its own files"),
        closing(find_and_load_workspace(True, False, str(clone))) as ws,
    ):
        ws.clone_resource(NAME)
    assert not (clone / path).exists()
    assert not (tmp_path / "outside.db").exists()


def test_a_kept_text_cannot_reach_another_file(shop: Journey, tmp_path: Path) -> None:
    module: Any = importlib.import_module(MODULE)
    sql = f"ATTACH DATABASE '{tmp_path / 'other.db'}' AS other"
    head = json.dumps({"table": "t", "schema": [["table", sql]]})
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute("BEGIN")
        with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
            module.replace_tables(db, [f"{head}\n".encode()])
    assert not (tmp_path / "other.db").exists()


def test_a_damaged_text_is_named_and_nothing_is_changed(shop: Journey) -> None:
    shop("snapshot", "v1")
    shop.write(2)
    shop("snapshot", "v2")
    for file in (shop.root / ".dataworkspace/kept/sqlite/source-data/thing").iterdir():
        if b'"part", "schema"' in file.read_bytes() or b'"table": "part"' in file.read_bytes():
            file.write_bytes(file.read_bytes() + b"[9]\n")
    err = shop.refused("restore", "v1")
    assert "the workspace does not hold" in err
    assert "git checkout HEAD -- .dataworkspace/kept" in err
    assert shop.read() == 2
