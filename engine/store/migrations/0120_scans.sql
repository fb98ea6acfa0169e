-- Pages that only OCR can read and that it has not read yet, and whether it is going to: a
-- file that holds no other text then waits instead of being skipped.
ALTER TABLE contents ADD COLUMN scan_pages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contents ADD COLUMN scan_due INTEGER NOT NULL DEFAULT 0;
