-- The change history: one entry per revision of an aggregate, written in the same transaction.
CREATE TABLE history (
    id UUID NOT NULL PRIMARY KEY,
    aggregate TEXT COLLATE "C" NOT NULL CHECK (aggregate IN ('customer_integration', 'catalog', 'global_rules')),
    business_partner_id TEXT COLLATE "C" REFERENCES customer_integrations (business_partner_id),
    revision BIGINT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    subject TEXT NOT NULL,
    client TEXT,
    request_id TEXT NOT NULL,
    resource TEXT COLLATE "C" NOT NULL,
    resource_id TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL CHECK (action IN ('created', 'updated', 'deleted')),
    before JSONB,
    after JSONB,
    CONSTRAINT history_aggregate_owner_check
        CHECK ((aggregate = 'customer_integration') = (business_partner_id IS NOT NULL)),
    CONSTRAINT history_action_states_check
        CHECK ((action <> 'created') = (before IS NOT NULL) AND (action <> 'deleted') = (after IS NOT NULL)),
    CONSTRAINT history_business_partner_id_revision_key UNIQUE (business_partner_id, revision)
);
CREATE UNIQUE INDEX history_aggregate_revision_key ON history (aggregate, revision) WHERE business_partner_id IS NULL;
CREATE INDEX history_resource_idx ON history (business_partner_id, resource, revision);
CREATE INDEX history_subject_idx ON history (business_partner_id, subject, revision);
CREATE INDEX history_resource_id_idx ON history (business_partner_id, resource_id, revision);
CREATE INDEX history_at_idx ON history (business_partner_id, at);
