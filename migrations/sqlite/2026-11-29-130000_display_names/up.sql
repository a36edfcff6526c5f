-- Display names of subjects, as their tokens had them at the time of the change, and the party that
-- acted for the subject. NULL for changes before this migration.
ALTER TABLE catalog_entries ADD COLUMN created_by_name TEXT;
ALTER TABLE catalog_entries ADD COLUMN updated_by_name TEXT;
ALTER TABLE customer_integrations ADD COLUMN created_by_name TEXT;
ALTER TABLE customer_integrations ADD COLUMN updated_by_name TEXT;
ALTER TABLE accesses ADD COLUMN created_by_name TEXT;
ALTER TABLE accesses ADD COLUMN updated_by_name TEXT;
ALTER TABLE grants ADD COLUMN created_by_name TEXT;
ALTER TABLE grants ADD COLUMN updated_by_name TEXT;
ALTER TABLE tags ADD COLUMN created_by_name TEXT;
ALTER TABLE tags ADD COLUMN updated_by_name TEXT;
ALTER TABLE queries ADD COLUMN created_by_name TEXT;
ALTER TABLE queries ADD COLUMN updated_by_name TEXT;
ALTER TABLE exclusion_rules ADD COLUMN created_by_name TEXT;
ALTER TABLE exclusion_rules ADD COLUMN updated_by_name TEXT;
ALTER TABLE history ADD COLUMN subject_name TEXT;
ALTER TABLE history ADD COLUMN actor TEXT;
