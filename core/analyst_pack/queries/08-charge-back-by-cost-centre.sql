-- What is each cost centre charged for each month? From the ledger, by the time at which each charge was booked (UTC).
SET TimeZone = 'UTC';
SELECT strftime(booked_at, '%Y-%m') AS month, coalesce(nullif(cost_centre, ''), 'none') AS cost_centre,
       workspace, count(*) AS clips, CAST(sum(amount_credits) AS BIGINT) AS credits,
       CAST(sum(amount_credits) * 50 AS BIGINT) AS idr
FROM 'ledger.parquet'
WHERE kind = 'settle'
GROUP BY ALL
ORDER BY month, cost_centre, workspace;
