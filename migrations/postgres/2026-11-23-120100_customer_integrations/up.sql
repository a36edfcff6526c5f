-- The aggregate: one integration per business partner, with its accesses and grants.
-- Every write first increments the revision of the integration's row, which also locks it.

CREATE TABLE customer_integrations (
    business_partner_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- constant part of the foreign key to the partner's catalog entry
    business_partner_kind TEXT COLLATE "C" NOT NULL GENERATED ALWAYS AS ('business_partner') STORED,
    active BOOLEAN NOT NULL,
    activated_at TIMESTAMPTZ,
    revision BIGINT NOT NULL CHECK (revision >= 1),
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    CHECK (NOT active OR activated_at IS NOT NULL),
    FOREIGN KEY (business_partner_kind, business_partner_id) REFERENCES catalog_entries (kind, id)
);
CREATE INDEX customer_integrations_business_partner_idx
    ON customer_integrations (business_partner_kind, business_partner_id);

CREATE TABLE accesses (
    id UUID NOT NULL PRIMARY KEY,
    business_partner_id TEXT COLLATE "C" NOT NULL REFERENCES customer_integrations (business_partner_id),
    contact_id TEXT COLLATE "C" CHECK (char_length(contact_id) BETWEEN 1 AND 64),
    first_name TEXT NOT NULL CHECK (char_length(first_name) BETWEEN 1 AND 100),
    last_name TEXT NOT NULL CHECK (char_length(last_name) BETWEEN 1 AND 100),
    email TEXT COLLATE "C" NOT NULL CHECK (char_length(email) BETWEEN 3 AND 254),
    language TEXT NOT NULL CHECK (language IN ('de', 'en')),
    role TEXT NOT NULL CHECK (role IN ('observer', 'editor', 'dispatcher')),
    approver BOOLEAN NOT NULL,
    ticket_visibility TEXT NOT NULL CHECK (ticket_visibility IN ('own', 'partner')),
    active BOOLEAN NOT NULL,
    sort_key TEXT COLLATE "C" NOT NULL,
    search_key TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    CONSTRAINT accesses_email_key UNIQUE (email),
    CONSTRAINT accesses_business_partner_id_contact_id_key UNIQUE (business_partner_id, contact_id),
    -- docs/domain.md#r6
    CONSTRAINT accesses_approver_check CHECK (NOT approver OR role IN ('editor', 'dispatcher'))
);
CREATE INDEX accesses_sort_key_idx ON accesses (business_partner_id, sort_key, id);
CREATE INDEX accesses_created_at_idx ON accesses (business_partner_id, created_at, id);
CREATE INDEX accesses_active_idx ON accesses (business_partner_id) WHERE active;

-- Catalog entries that a partner may use: areas, ticket types, plan boards.
CREATE TABLE grants (
    business_partner_id TEXT COLLATE "C" NOT NULL REFERENCES customer_integrations (business_partner_id),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('area', 'ticket_type', 'plan_board')),
    entry_id TEXT COLLATE "C" NOT NULL,
    approval_required BOOLEAN NOT NULL CHECK (kind = 'ticket_type' OR NOT approval_required),
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (business_partner_id, kind, entry_id),
    FOREIGN KEY (kind, entry_id) REFERENCES catalog_entries (kind, id)
);
CREATE INDEX grants_entry_idx ON grants (kind, entry_id);
