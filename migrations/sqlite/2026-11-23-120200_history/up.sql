-- The change history: one entry per revision of an aggregate, written in the same transaction.
CREATE TABLE history (
    id TEXT NOT NULL PRIMARY KEY,
    aggregate TEXT NOT NULL CHECK (aggregate IN ('customer_integration', 'catalog', 'global_rules')),
    business_partner_id TEXT REFERENCES customer_integrations (business_partner_id),
    revision INTEGER NOT NULL,
    at TEXT NOT NULL,
    subject TEXT NOT NULL,
    client TEXT,
    request_id TEXT NOT NULL,
    resource TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('created', 'updated', 'deleted')),
    before TEXT CHECK (before IS NULL OR json_valid(before)),
    after TEXT CHECK (after IS NULL OR json_valid(after)),
    CONSTRAINT history_aggregate_owner_check
        CHECK ((aggregate = 'customer_integration') = (business_partner_id IS NOT NULL)),
    CONSTRAINT history_action_states_check
        CHECK ((action <> 'created') = (before IS NOT NULL) AND (action <> 'deleted') = (after IS NOT NULL)),
    CONSTRAINT history_business_partner_id_revision_key UNIQUE (business_partner_id, revision)
) STRICT;
CREATE UNIQUE INDEX history_aggregate_revision_key ON history (aggregate, revision) WHERE business_partner_id IS NULL;
CREATE INDEX history_resource_idx ON history (business_partner_id, resource, revision);
CREATE INDEX history_subject_idx ON history (business_partner_id, subject, revision);
CREATE INDEX history_resource_id_idx ON history (business_partner_id, resource_id, revision);
CREATE INDEX history_at_idx ON history (business_partner_id, at);
