DROP INDEX history_system_aggregate_idx;
DROP INDEX history_system_at_idx;
