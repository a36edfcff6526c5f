ALTER TABLE accesses ALTER COLUMN search_key SET STATISTICS -1;
ALTER TABLE catalog_entries ALTER COLUMN search_key SET STATISTICS -1;
DROP INDEX IF EXISTS accesses_search_key_trgm;
DROP INDEX IF EXISTS catalog_entries_search_key_trgm;
