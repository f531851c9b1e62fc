-- Does every movement lead from the opening balance to the closing one, and daily usage to what was charged? 0 means yes.
WITH moved AS (
    SELECT workspace_id, sum(available_change) AS available, sum(held_change) AS held,
           sum(amount_credits) FILTER (kind = 'settle') AS charged
    FROM 'ledger.parquet'
    GROUP BY workspace_id
), used AS (
    SELECT workspace_id, sum(settled_credits) AS charged FROM 'usage_days.parquet' GROUP BY workspace_id
)
SELECT a.workspace,
       CAST(opening_available_credits + coalesce(m.available, 0) - closing_available_credits AS BIGINT) AS available_off,
       CAST(opening_held_credits + coalesce(m.held, 0) - closing_held_credits AS BIGINT) AS held_off,
       CAST(coalesce(m.charged, 0) - coalesce(u.charged, 0) AS BIGINT) AS usage_off,
       CAST(coalesce(m.charged, 0) AS BIGINT) AS charged_credits
FROM 'accounts.parquet' a LEFT JOIN moved m USING (workspace_id) LEFT JOIN used u USING (workspace_id)
ORDER BY a.workspace;
