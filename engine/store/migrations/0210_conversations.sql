-- Conversations: what was asked and answered, as the reports the user saw.
CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    library TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE TABLE turns (
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    report TEXT NOT NULL,  -- JSON of engine.work.api.AnswerReport
    at TEXT NOT NULL,
    PRIMARY KEY (conversation, ordinal)
);

CREATE INDEX conversations_by_time ON conversations (updated_at DESC);
