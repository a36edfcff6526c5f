-- The last versions of revoked grants. A grant of the same entry continues after them.
CREATE TABLE revoked_grants (
    business_partner_id TEXT NOT NULL REFERENCES customer_integrations (business_partner_id),
    kind TEXT NOT NULL CHECK (kind IN ('area', 'ticket_type', 'plan_board')),
    entry_id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    PRIMARY KEY (business_partner_id, kind, entry_id),
    FOREIGN KEY (kind, entry_id) REFERENCES catalog_entries (kind, id)
) STRICT;
CREATE INDEX revoked_grants_entry_idx ON revoked_grants (kind, entry_id);
INSERT INTO revoked_grants (business_partner_id, kind, entry_id, version)
    SELECT business_partner_id, resource, resource_id, max(json_extract(before, '$.version'))
    FROM history
    WHERE action = 'deleted' AND resource IN ('area', 'ticket_type', 'plan_board')
        AND NOT EXISTS (
            SELECT 1 FROM grants
            WHERE grants.business_partner_id = history.business_partner_id
                AND grants.kind = history.resource AND grants.entry_id = history.resource_id
        )
    GROUP BY business_partner_id, resource, resource_id;
