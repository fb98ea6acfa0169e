-- Pausing, following the disk, and lists of many files.

-- The user paused this library: it is not followed. `pauses` counts how often, so that a run
-- notices a pause that came after it began, whichever process runs it.
ALTER TABLE libraries ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE libraries ADD COLUMN pauses INTEGER NOT NULL DEFAULT 0;
-- When all folders were last known to agree with the index; empty: never.
ALTER TABLE libraries ADD COLUMN agreed_at TEXT NOT NULL DEFAULT '';
-- What the process that follows this library says; counts only while that one lives, which
-- it shows by holding locks/following-<library_id>.lock.
ALTER TABLE libraries ADD COLUMN following TEXT NOT NULL DEFAULT 'off';
ALTER TABLE libraries ADD COLUMN following_reason TEXT NOT NULL DEFAULT '';
-- 0 while a run writes, and after one that was cut off: tables and ledger may disagree.
ALTER TABLE libraries ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;

-- Device and inode of the folder when it was last looked through. An empty folder that is
-- another one is a disk that is not mounted, not a folder whose files were all deleted.
ALTER TABLE roots ADD COLUMN identity TEXT NOT NULL DEFAULT '';

-- A list sorted by name, size or time reads its page from an index.
ALTER TABLE files ADD COLUMN name TEXT NOT NULL DEFAULT '' COLLATE NOCASE;
UPDATE files SET name = substr(shown, length(rtrim(shown, replace(shown, '/', ''))) + 1);
CREATE INDEX files_by_name ON files (library_id, name);
CREATE INDEX files_by_size ON files (library_id, size_bytes);
CREATE INDEX files_by_mtime ON files (library_id, mtime_ns);
-- What is not simply read is rare: counting it reads only these.
CREATE INDEX files_refused ON files (library_id) WHERE reason != '';
CREATE INDEX files_waiting ON files (library_id) WHERE content_id IS NULL AND reason = '';
-- Counting a library's contents reads only this.
CREATE INDEX contents_by_library ON contents (library_id, state, passages, embedded);
