-- Catalog entries, owned by the ERP (docs/domain.md). They are retired, never deleted.

-- Revisions of shared data, incremented by the transaction that changes it.
CREATE TABLE shared_revisions (
    name TEXT NOT NULL PRIMARY KEY CHECK (name IN ('catalog', 'global_rules')),
    revision BIGINT NOT NULL CHECK (revision >= 0)
);
INSERT INTO shared_revisions (name, revision) VALUES ('catalog', 0), ('global_rules', 0);

-- sort_key and search_key are normalized copies of the name, compared bytewise on both engines.
CREATE TABLE catalog_entries (
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('business_partner', 'area', 'ticket_type', 'plan_board')),
    id TEXT COLLATE "C" NOT NULL CHECK (char_length(id) BETWEEN 1 AND 64),
    name TEXT NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    active BOOLEAN NOT NULL,
    search_name TEXT CHECK (char_length(search_name) BETWEEN 1 AND 100),
    color TEXT CHECK (color ~ '^#[0-9A-F]{6}$'),
    start_ticket_types JSONB,
    ticket_kind TEXT CHECK (ticket_kind IN ('standard', 'dynamic')),
    description TEXT CHECK (char_length(description) <= 1000),
    sort_key TEXT COLLATE "C" NOT NULL,
    search_key TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
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
);
CREATE INDEX catalog_entries_sort_key_idx ON catalog_entries (kind, sort_key, id);
CREATE INDEX catalog_entries_created_at_idx ON catalog_entries (kind, created_at, id);
