DROP TABLE grants;
DROP TABLE accesses;
DROP TABLE customer_integrations;
