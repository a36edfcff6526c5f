-- The orders of lists that grids offer, and the list of the accesses of all partners.
CREATE INDEX accesses_email_idx ON accesses (business_partner_id, email, id);
CREATE INDEX accesses_role_idx ON accesses (business_partner_id, role, id);
CREATE INDEX accesses_updated_at_idx ON accesses (business_partner_id, updated_at, id);
CREATE INDEX accesses_all_sort_key_idx ON accesses (sort_key, id);
CREATE INDEX accesses_all_created_at_idx ON accesses (created_at, id);
CREATE INDEX accesses_all_updated_at_idx ON accesses (updated_at, id);
CREATE INDEX accesses_contact_idx ON accesses (contact_id);
CREATE INDEX tags_updated_at_idx ON tags (business_partner_id, updated_at, id);
CREATE INDEX queries_updated_at_idx ON queries (business_partner_id, updated_at, id);
CREATE INDEX exclusion_rules_updated_at_idx ON exclusion_rules (owner, updated_at, id);
CREATE INDEX catalog_entries_updated_at_idx ON catalog_entries (kind, updated_at, id);
CREATE INDEX customer_integrations_updated_at_idx
    ON customer_integrations (updated_at, business_partner_id);
