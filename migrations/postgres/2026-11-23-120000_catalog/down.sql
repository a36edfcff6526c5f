DROP TABLE catalog_entries;
DROP TABLE shared_revisions;
