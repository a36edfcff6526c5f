-- Catalog entries, owned by the ERP (docs/domain.md). They are retired, never deleted.

-- Revisions of shared data, incremented by the transaction that changes it.
CREATE TABLE shared_revisions (
    name TEXT NOT NULL PRIMARY KEY CHECK (name IN ('catalog', 'global_rules')),
    revision INTEGER NOT NULL CHECK (revision >= 0)
) STRICT;
INSERT INTO shared_revisions (name, revision) VALUES ('catalog', 0), ('global_rules', 0);

-- sort_key and search_key are normalized copies of the name, compared bytewise on both engines.
CREATE TABLE catalog_entries (
    kind TEXT NOT NULL CHECK (kind IN ('business_partner', 'area', 'ticket_type', 'plan_board')),
    id TEXT NOT NULL CHECK (length(id) BETWEEN 1 AND 64),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    search_name TEXT CHECK (length(search_name) BETWEEN 1 AND 100),
    color TEXT CHECK (color GLOB '#[0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F]'),
    start_ticket_types TEXT CHECK (start_ticket_types IS NULL OR json_valid(start_ticket_types)),
    ticket_kind TEXT CHECK (ticket_kind IN ('standard', 'dynamic')),
    description TEXT CHECK (length(description) <= 1000),
    sort_key TEXT NOT NULL,
    search_key TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (kind, id),
    -- each kind has its attributes and no others
    CONSTRAINT catalog_entries_attributes_check CHECK (
        (kind = 'business_partner') = (search_name IS NOT NULL)
        AND (kind = 'area') = (color IS NOT NULL)
        AND (kind = 'area' OR start_ticket_types IS NULL)
        AND (kind = 'ticket_type') = (ticket_kind IS NOT NULL)
        AND (kind = 'plan_board') = (description IS NOT NULL)
    )
) STRICT;
CREATE INDEX catalog_entries_sort_key_idx ON catalog_entries (kind, sort_key, id);
CREATE INDEX catalog_entries_created_at_idx ON catalog_entries (kind, created_at, id);
