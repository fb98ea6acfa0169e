-- Datasets and exams. The examples are files, datasets/<id>.jsonl and exams/<id>.jsonl; what
-- is told of them here was counted when the file had this size and time.
CREATE TABLE datasets (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    task TEXT NOT NULL,
    source TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    heldout INTEGER NOT NULL,
    labels TEXT NOT NULL,      -- JSON list
    sha256 TEXT NOT NULL,      -- of the file's bytes
    size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE TABLE exams (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    task TEXT NOT NULL,
    source TEXT NOT NULL,
    dataset TEXT NOT NULL,     -- id of the dataset it is made of; it may be gone
    row_count INTEGER NOT NULL,
    labels TEXT NOT NULL,      -- JSON list
    sha256 TEXT NOT NULL,
    created_at TEXT NOT NULL
);
