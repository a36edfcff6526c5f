-- Positions stay unique; the previous ones are not restored.
SELECT 1;
