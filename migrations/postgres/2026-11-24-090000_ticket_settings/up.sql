-- Tags, ticket board queries and exclusion rules, including global rules. The service computes
-- name_key (the case-folded name), sort_key and search_key (normalized copies).

CREATE TABLE tags (
    id UUID NOT NULL PRIMARY KEY,
    business_partner_id TEXT COLLATE "C" NOT NULL REFERENCES customer_integrations (business_partner_id),
    name TEXT NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    description TEXT CHECK (char_length(description) <= 1000),
    -- NULL: all areas; otherwise a granted area (docs/domain.md#r5), which cannot be revoked (#r4)
    area_id TEXT COLLATE "C",
    -- constant part of the foreign key to the grant, and area_id for UNIQUE without NULL
    area_kind TEXT COLLATE "C" NOT NULL GENERATED ALWAYS AS ('area') STORED,
    area_scope TEXT COLLATE "C" NOT NULL GENERATED ALWAYS AS (coalesce(area_id, '')) STORED,
    internal_only BOOLEAN NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    sort_key TEXT COLLATE "C" NOT NULL,
    search_key TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    CONSTRAINT tags_business_partner_id_area_scope_name_key_key UNIQUE (business_partner_id, area_scope, name_key),
    FOREIGN KEY (business_partner_id, area_kind, area_id) REFERENCES grants (business_partner_id, kind, entry_id)
);
CREATE INDEX tags_sort_key_idx ON tags (business_partner_id, sort_key, id);
CREATE INDEX tags_created_at_idx ON tags (business_partner_id, created_at, id);
CREATE INDEX tags_area_idx ON tags (business_partner_id, area_kind, area_id);

CREATE TABLE queries (
    id UUID NOT NULL PRIMARY KEY,
    business_partner_id TEXT COLLATE "C" NOT NULL REFERENCES customer_integrations (business_partner_id),
    name TEXT NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    description TEXT CHECK (char_length(description) <= 1000),
    active BOOLEAN NOT NULL,
    position BIGINT NOT NULL CHECK (position BETWEEN 0 AND 1000000),
    filter JSONB NOT NULL,
    board_columns JSONB NOT NULL,
    sort JSONB NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    sort_key TEXT COLLATE "C" NOT NULL,
    search_key TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    CONSTRAINT queries_business_partner_id_name_key_key UNIQUE (business_partner_id, name_key)
);
CREATE INDEX queries_position_idx ON queries (business_partner_id, position, id);
CREATE INDEX queries_sort_key_idx ON queries (business_partner_id, sort_key, id);
CREATE INDEX queries_created_at_idx ON queries (business_partner_id, created_at, id);

CREATE TABLE exclusion_rules (
    id UUID NOT NULL PRIMARY KEY,
    -- NULL: a global rule, for all partners
    business_partner_id TEXT COLLATE "C" REFERENCES customer_integrations (business_partner_id),
    -- the partner whose list has the rule; '' for the global list
    owner TEXT COLLATE "C" NOT NULL GENERATED ALWAYS AS (coalesce(business_partner_id, '')) STORED,
    name TEXT NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    description TEXT CHECK (char_length(description) <= 1000),
    active BOOLEAN NOT NULL,
    filter JSONB NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    sort_key TEXT COLLATE "C" NOT NULL,
    search_key TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    CONSTRAINT exclusion_rules_owner_name_key_key UNIQUE (owner, name_key)
);
CREATE INDEX exclusion_rules_business_partner_idx ON exclusion_rules (business_partner_id);
CREATE INDEX exclusion_rules_sort_key_idx ON exclusion_rules (owner, sort_key, id);
CREATE INDEX exclusion_rules_created_at_idx ON exclusion_rules (owner, created_at, id);

-- Catalog entries that are referenced by filters of queries and rules. Foreign keys ensure that
-- they exist; retired ones are found without parsing filters.
CREATE TABLE filter_references (
    owner_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('area', 'ticket_type')),
    entry_id TEXT COLLATE "C" NOT NULL,
    query_id UUID REFERENCES queries (id) ON DELETE CASCADE,
    exclusion_rule_id UUID REFERENCES exclusion_rules (id) ON DELETE CASCADE,
    PRIMARY KEY (owner_id, kind, entry_id),
    CONSTRAINT filter_references_owner_check CHECK (
        (query_id IS NULL) <> (exclusion_rule_id IS NULL) AND owner_id = coalesce(query_id, exclusion_rule_id)
    ),
    FOREIGN KEY (kind, entry_id) REFERENCES catalog_entries (kind, id)
);
CREATE INDEX filter_references_entry_idx ON filter_references (kind, entry_id);
CREATE INDEX filter_references_query_idx ON filter_references (query_id);
CREATE INDEX filter_references_exclusion_rule_idx ON filter_references (exclusion_rule_id);
