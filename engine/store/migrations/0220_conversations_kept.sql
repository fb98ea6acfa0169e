-- Conversations remember where and how they are asked, turns keep their earlier answers,
-- answers are rated, and all of it can be searched by its words.

CREATE TABLE conversations_now (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    libraries TEXT NOT NULL DEFAULT '[]',  -- JSON list of library ids, the first one first
    filter TEXT NOT NULL DEFAULT '{}',     -- JSON of engine.work.api.Filter
    preset TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

INSERT INTO conversations_now (id, title, libraries, created_at, updated_at)
SELECT id, title, CASE library WHEN '' THEN '[]' ELSE json_array(library) END,
    created_at, updated_at
FROM conversations ORDER BY rowid;

CREATE TABLE turns_now (
    id INTEGER PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversations_now (id) ON DELETE CASCADE,
    turn INTEGER NOT NULL,        -- from 1
    version INTEGER NOT NULL,     -- from 1, the oldest
    live INTEGER NOT NULL,        -- 1: counts; 0: was replaced, or came after one that was
    report TEXT NOT NULL,         -- JSON of engine.work.api.AnswerReport
    at TEXT NOT NULL,
    UNIQUE (conversation, turn, version)
);

INSERT INTO turns_now (conversation, turn, version, live, report, at)
SELECT conversation, ordinal, 1, 1, report, at FROM turns ORDER BY at, conversation, ordinal;

DROP TABLE turns;
DROP TABLE conversations;
ALTER TABLE conversations_now RENAME TO conversations;
ALTER TABLE turns_now RENAME TO turns;

CREATE INDEX conversations_by_time ON conversations (updated_at DESC);
CREATE UNIQUE INDEX live_turns ON turns (conversation, turn) WHERE live;

-- What the user thought of one answer.
CREATE TABLE feedback (
    answer INTEGER PRIMARY KEY REFERENCES turns (id) ON DELETE CASCADE,
    verdict TEXT NOT NULL,
    correction TEXT NOT NULL,
    at TEXT NOT NULL
);

-- The user's own system prompts; the built-in ones are files.
CREATE TABLE presets (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    system TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

-- Full-text search. Rows of turns are even (2 × turns.id), titles odd
-- (2 × conversations.number + 1). The characters that mark a match in a snippet
-- (U+2068, U+2069) are taken out of the text.
CREATE VIRTUAL TABLE said USING fts5(
    title, question, answer, correction,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);

CREATE TRIGGER conversation_added AFTER INSERT ON conversations BEGIN
    INSERT INTO said (rowid, title, question, answer, correction)
    VALUES (2 * new.number + 1, replace(replace(new.title, char(8296), ''), char(8297), ''),
        '', '', '');
END;

CREATE TRIGGER conversation_renamed AFTER UPDATE OF title ON conversations BEGIN
    UPDATE said SET title = replace(replace(new.title, char(8296), ''), char(8297), '')
    WHERE rowid = 2 * new.number + 1;
END;

CREATE TRIGGER conversation_removed AFTER DELETE ON conversations BEGIN
    DELETE FROM said WHERE rowid = 2 * old.number + 1;
END;

CREATE TRIGGER turn_added AFTER INSERT ON turns WHEN json_valid(new.report) BEGIN
    INSERT INTO said (rowid, title, question, answer, correction) VALUES (
        2 * new.id, '',
        replace(replace(COALESCE(json_extract(new.report, '$.question'), ''),
            char(8296), ''), char(8297), ''),
        replace(replace(COALESCE(json_extract(new.report, '$.answer'), ''),
            char(8296), ''), char(8297), ''),
        ''
    );
END;

CREATE TRIGGER turn_removed AFTER DELETE ON turns BEGIN
    DELETE FROM said WHERE rowid = 2 * old.id;
END;

CREATE TRIGGER feedback_added AFTER INSERT ON feedback BEGIN
    UPDATE said SET correction = replace(replace(new.correction, char(8296), ''),
        char(8297), '')
    WHERE rowid = 2 * new.answer;
END;

CREATE TRIGGER feedback_changed AFTER UPDATE OF correction ON feedback BEGIN
    UPDATE said SET correction = replace(replace(new.correction, char(8296), ''),
        char(8297), '')
    WHERE rowid = 2 * new.answer;
END;

CREATE TRIGGER feedback_removed AFTER DELETE ON feedback BEGIN
    UPDATE said SET correction = '' WHERE rowid = 2 * old.answer;
END;

-- What was said before this version.
INSERT INTO said (rowid, title, question, answer, correction)
SELECT 2 * number + 1, replace(replace(title, char(8296), ''), char(8297), ''), '', '', ''
FROM conversations;

INSERT INTO said (rowid, title, question, answer, correction)
SELECT 2 * id, '',
    replace(replace(COALESCE(json_extract(report, '$.question'), ''),
        char(8296), ''), char(8297), ''),
    replace(replace(COALESCE(json_extract(report, '$.answer'), ''),
        char(8296), ''), char(8297), ''),
    ''
FROM turns WHERE json_valid(report);
