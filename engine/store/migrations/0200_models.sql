-- Starter models whose bytes were hashed; hashed again when size or time differ.
CREATE TABLE verified_models (
    path BLOB PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    header TEXT NOT NULL  -- JSON of engine.models.gguf.GgufHeader; empty when not ours
);
