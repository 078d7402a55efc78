"""The tables of the index.

`node` and `edge` are the graph. The others hold what only the index is asked: they are filled
in the same transaction, straight from the facts. Source: docs/formats.md, "The index".
"""

from __future__ import annotations

VERSION = 12  # kept in PRAGMA user_version; a file of another version is folded anew

TABLES = (
    """
    CREATE TABLE node (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        label TEXT NOT NULL,        -- of a certificate: its second label, when it has one
        at TEXT NOT NULL DEFAULT '',
        props TEXT NOT NULL         -- JSON object
    )
    """,
    "CREATE INDEX node_label ON node (label, key)",
    """
    CREATE INDEX node_snapshot ON node (
        json_extract(props, '$.workspace'), json_extract(props, '$.timestamp'), key
    ) WHERE label = 'Snapshot'
    """,
    """
    CREATE TABLE edge (
        src INTEGER NOT NULL,
        type TEXT NOT NULL,
        dst INTEGER NOT NULL,
        instance TEXT NOT NULL DEFAULT '',   -- of CURRENT
        PRIMARY KEY (src, type, dst, instance)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX edge_in ON edge (dst, type, src)",
    """
    CREATE TABLE applied (
        workspace TEXT NOT NULL,
        instance TEXT NOT NULL,
        seq INTEGER NOT NULL,
        hash TEXT NOT NULL,
        offset INTEGER NOT NULL,
        time TEXT NOT NULL,         -- when the fact was made
        PRIMARY KEY (workspace, instance)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE entry (
        workspace TEXT NOT NULL,
        instance TEXT NOT NULL,
        resource TEXT NOT NULL,
        subpath TEXT NOT NULL,      -- '' for the whole resource
        certificate TEXT NOT NULL,
        output INTEGER NOT NULL,
        digest TEXT,
        taken INTEGER,
        via TEXT NOT NULL,
        PRIMARY KEY (workspace, instance, resource, subpath)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE ref (              -- Ref nodes by what they name
        workspace TEXT NOT NULL,
        resource TEXT NOT NULL,
        subpath TEXT NOT NULL,      -- '' for the whole resource
        PRIMARY KEY (workspace, resource, subpath)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE imported (         -- the lineage.json last taken in
        workspace TEXT NOT NULL,
        instance TEXT NOT NULL,
        resource TEXT NOT NULL,
        digest TEXT NOT NULL,
        PRIMARY KEY (workspace, instance, resource)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE import_seen (      -- every one that any instance took in
        workspace TEXT NOT NULL,
        resource TEXT NOT NULL,
        digest TEXT NOT NULL,
        PRIMARY KEY (workspace, resource, digest)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX entry_certificate ON entry (certificate)",
    "CREATE TABLE alias (placeholder TEXT PRIMARY KEY, certificate TEXT NOT NULL) WITHOUT ROWID",
    """
    CREATE TABLE hashed (
        certificate INTEGER PRIMARY KEY,
        ref INTEGER NOT NULL,
        hash TEXT NOT NULL,
        subpath_hash TEXT
    )
    """,
    "CREATE INDEX hashed_hash ON hashed (ref, hash)",
    "CREATE INDEX hashed_subpath ON hashed (ref, subpath_hash, hash)",
    "CREATE INDEX hashed_everywhere ON hashed (hash)",
    "CREATE INDEX hashed_subpath_everywhere ON hashed (subpath_hash)",
    """
    CREATE TABLE writes (           -- refs that a step wrote
        step INTEGER NOT NULL,
        ref INTEGER NOT NULL,
        PRIMARY KEY (step, ref)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE step (             -- those that a fact here describes, to be listed
        node INTEGER PRIMARY KEY,
        key TEXT NOT NULL,
        workspace TEXT NOT NULL,
        name TEXT NOT NULL,
        status TEXT NOT NULL,       -- completed, failed, retracted
        start_time TEXT NOT NULL,
        parameters TEXT NOT NULL,   -- JSON object
        metrics TEXT NOT NULL,      -- JSON object
        description TEXT
    )
    """,
    "CREATE INDEX step_everywhere ON step (start_time, key)",
    "CREATE INDEX step_time ON step (workspace, start_time, key)",
    "CREATE INDEX step_name ON step (workspace, name, start_time, key)",
    "CREATE INDEX step_status ON step (workspace, status, start_time, key)",
    """
    CREATE TABLE running (
        step TEXT PRIMARY KEY,
        workspace TEXT NOT NULL,
        instance TEXT NOT NULL,
        body TEXT NOT NULL          -- StepStart as JSON
    ) WITHOUT ROWID
    """,
    "CREATE INDEX running_instance ON running (instance)",
    """
    CREATE TABLE run (              -- what programs outside told of, by their own ids
        workspace TEXT NOT NULL,
        instance TEXT NOT NULL,
        run TEXT NOT NULL,
        step TEXT NOT NULL,
        status TEXT NOT NULL,       -- running, completed, failed
        name TEXT NOT NULL,
        producer TEXT NOT NULL,
        start_time TEXT NOT NULL,
        seconds REAL,
        error TEXT,
        began TEXT,                 -- SHA-256 of the request that started it
        ended TEXT,                 -- of the one that ended it
        PRIMARY KEY (workspace, run, instance)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE half_written (     -- refs that a failed step may have written half of
        workspace TEXT NOT NULL,
        instance TEXT NOT NULL,
        resource TEXT NOT NULL,
        subpath TEXT NOT NULL,      -- '' for the whole resource
        step TEXT NOT NULL,
        PRIMARY KEY (workspace, instance, resource, subpath)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE left_by (          -- versions first seen of what a failed step left
        certificate TEXT NOT NULL,
        step TEXT NOT NULL,
        PRIMARY KEY (certificate, step)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE step_end (
        step TEXT PRIMARY KEY,
        instance TEXT NOT NULL,
        fact TEXT NOT NULL,
        seq INTEGER NOT NULL,
        completed INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE version (          -- the highest given
        instance TEXT NOT NULL,
        ref TEXT NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (instance, ref)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE number (           -- the highest of a snapshot
        workspace TEXT NOT NULL,
        instance TEXT NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (workspace, instance)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE rename (           -- facts ResourceRenamed, as lines
        id TEXT PRIMARY KEY,
        fact TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE base (             -- the snapshot taken or restored last
        workspace TEXT NOT NULL,
        instance TEXT NOT NULL,
        snapshot TEXT NOT NULL,     -- its hash
        PRIMARY KEY (workspace, instance)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE contained (
        snapshot TEXT NOT NULL,
        certificate TEXT NOT NULL,
        resource TEXT NOT NULL,
        subpath TEXT NOT NULL,
        entry INTEGER NOT NULL,
        PRIMARY KEY (snapshot, certificate)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE tagged (           -- Tag nodes by the snapshot they name
        tag_node TEXT PRIMARY KEY,
        snapshot TEXT NOT NULL,
        tag TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX tagged_snapshot ON tagged (snapshot)",
    """
    CREATE TABLE environment (
        workspace TEXT NOT NULL,
        instance TEXT NOT NULL,
        hash TEXT NOT NULL,
        PRIMARY KEY (workspace, instance, hash)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE hostname (
        workspace TEXT NOT NULL,
        instance TEXT NOT NULL,
        hostname TEXT NOT NULL,
        PRIMARY KEY (workspace, instance)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE stat_cache (       -- for hashing; may be lost
        path TEXT PRIMARY KEY,
        stat TEXT NOT NULL,
        sha1 TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE stat_piece (       -- many files of a folder at once; a row of stat_cache is newer
        folder TEXT NOT NULL,
        number INTEGER NOT NULL,
        base BLOB NOT NULL,
        stats BLOB NOT NULL,
        hashes BLOB NOT NULL,
        PRIMARY KEY (folder, number)
    ) WITHOUT ROWID
    """,
)
