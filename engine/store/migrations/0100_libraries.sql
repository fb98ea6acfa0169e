-- Libraries, the folders they cover, the file ledger, and what was measured on this machine.
-- File names are bytes. Passages belong to a content (the sha256 of a file's bytes): files
-- with equal bytes share it, and a moved file is recognised by it. content_id is never used
-- twice (AUTOINCREMENT), because LanceDB rows are keyed by it and outlive the ledger's row
-- until the next reconciliation.

CREATE TABLE libraries (
    library_id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    embedder TEXT NOT NULL,
    reader_version INTEGER NOT NULL,
    format INTEGER NOT NULL,
    -- The tables lie in libraries/<library_id>/<generation>: a rebuild starts a new one, so
    -- that no process ever reads a new table through what it remembers of the old.
    generation INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL DEFAULT ''
);

CREATE TABLE roots (
    root_id INTEGER PRIMARY KEY,
    library_id TEXT NOT NULL REFERENCES libraries ON DELETE CASCADE,
    path BLOB NOT NULL,
    UNIQUE (library_id, path)
);

-- state: pending, its passages are being written and none of them counts yet; read, they are
-- stored; indexed, their vectors too; unreadable, the reader refused it (reason). `embedded`
-- counts its passages, in order, whose vectors are stored. sha256 is NULL once the content
-- has to be read anew while its old passages still serve.
CREATE TABLE contents (
    content_id INTEGER PRIMARY KEY AUTOINCREMENT,
    library_id TEXT NOT NULL REFERENCES libraries ON DELETE CASCADE,
    sha256 TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'read', 'indexed', 'unreadable')),
    reason TEXT NOT NULL DEFAULT '',
    title TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL DEFAULT '',
    pages INTEGER NOT NULL DEFAULT 0,
    passages INTEGER NOT NULL DEFAULT 0,
    embedded INTEGER NOT NULL DEFAULT 0,
    UNIQUE (library_id, sha256)
);

-- content_id NULL and reason '': waiting to be read; reason set: skipped before it was read.
CREATE TABLE files (
    file_id INTEGER PRIMARY KEY AUTOINCREMENT,
    library_id TEXT NOT NULL REFERENCES libraries ON DELETE CASCADE,
    path BLOB NOT NULL,
    shown TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    content_id INTEGER REFERENCES contents,
    reason TEXT NOT NULL DEFAULT '',
    UNIQUE (library_id, path)
);
CREATE INDEX files_by_content ON files (content_id);
CREATE INDEX files_by_shown ON files (library_id, shown);

CREATE TABLE measurements (
    name TEXT NOT NULL,
    machine TEXT NOT NULL,
    value TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (name, machine)
);
