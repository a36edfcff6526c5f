-- The history of the whole system, ordered by time. Entries without a partner are few, so that only
-- one more index is maintained when a partner is changed.
CREATE INDEX history_system_at_idx ON history (at, id);
CREATE INDEX history_system_aggregate_idx ON history (aggregate, at, id) WHERE business_partner_id IS NULL;
