-- Positions of a partner's queries become unique. Queries of partners without duplicates stay
-- unchanged.
UPDATE queries
SET position = numbered.position, version = version + 1
FROM (
    SELECT id, row_number() OVER (PARTITION BY business_partner_id ORDER BY position, id) AS position
    FROM queries
    WHERE business_partner_id IN (
        SELECT business_partner_id FROM queries GROUP BY business_partner_id, position HAVING count(*) > 1
    )
) AS numbered
WHERE queries.id = numbered.id AND queries.position <> numbered.position;
