-- How much of each budget is used in its newest month, and where does that lead if the days go on as they went?
SET TimeZone = 'UTC';
WITH newest AS (
    SELECT max(month) AS month, greatest(max(l.booked_at), max(c.ordered_at)) AS seen_at
    FROM 'budgets.parquet', (SELECT max(booked_at) AS booked_at FROM 'ledger.parquet') l,
         (SELECT max(ordered_at) AS ordered_at FROM 'clips.parquet') c
), part AS (
    SELECT month, CAST(month || '-01' AS DATE) AS first,
           least(1.0, greatest(1, date_diff('day', CAST(month || '-01' AS DATE), CAST(seen_at AS DATE)) + 1)
                 / day(last_day(CAST(month || '-01' AS DATE)))) AS passed
    FROM newest
)
SELECT b.workspace, b.month, b.scope, b.subject, b.mode, b.limit_credits, b.taken_credits,
       round(100.0 * b.taken_credits / b.limit_credits, 1) AS used_percent,
       CAST(round(b.taken_credits / part.passed) AS BIGINT) AS forecast_credits,
       b.taken_credits / part.passed > b.limit_credits AS will_exceed
FROM 'budgets.parquet' b JOIN part USING (month)
WHERE b.limit_credits IS NOT NULL
ORDER BY used_percent DESC, b.workspace, b.scope, b.subject;
