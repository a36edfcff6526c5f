DROP TABLE filter_references;
DROP TABLE exclusion_rules;
DROP TABLE queries;
DROP TABLE tags;
