-- Adapters that are put on a model where nothing else is said. The adapters themselves are
-- the folders under adapters/, each with its card.

CREATE TABLE enabled_adapters (
    base_sha256 TEXT NOT NULL,
    adapter TEXT NOT NULL,
    scale REAL NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (base_sha256, adapter)
);
