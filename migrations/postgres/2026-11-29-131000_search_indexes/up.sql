-- Trigram indexes, with which a search reads only rows that may match. pg_trgm is a trusted
-- extension: it needs the right CREATE on the database. Without it a search reads all rows of the
-- list; docs/operations.md shows how to add the indexes later.
--
-- Without fastupdate, searches neither scan a list of pending rows nor avoid the index because of
-- it.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION
    WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
        RAISE WARNING 'pg_trgm cannot be created (%), so searches read all rows', SQLERRM;
END
$$;

DO $$
DECLARE
    operators text;
BEGIN
    SELECT quote_ident(nspname) || '.gin_trgm_ops' INTO operators
    FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
    WHERE extname = 'pg_trgm';
    IF operators IS NOT NULL THEN
        EXECUTE 'CREATE INDEX catalog_entries_search_key_trgm ON catalog_entries'
            || ' USING gin (search_key ' || operators || ') WITH (fastupdate = off)';
        EXECUTE 'CREATE INDEX accesses_search_key_trgm ON accesses'
            || ' USING gin (search_key ' || operators || ') WITH (fastupdate = off)';
    END IF;
END
$$;

-- With the default of 100 a term that no sampled row contains is estimated to match up to 1 % of
-- the rows, and the list would be read in its order until enough rows are found.
ALTER TABLE catalog_entries ALTER COLUMN search_key SET STATISTICS 1000;
ALTER TABLE accesses ALTER COLUMN search_key SET STATISTICS 1000;
