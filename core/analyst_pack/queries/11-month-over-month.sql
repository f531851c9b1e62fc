-- How does each workspace's spend change from month to month?
WITH months AS (
    SELECT workspace_id, workspace, date_trunc('month', day) AS month,
           CAST(sum(settled_credits) AS BIGINT) AS credits
    FROM 'usage_days.parquet'
    GROUP BY ALL
)
SELECT workspace, strftime(month, '%Y-%m') AS month, credits,
       credits - lag(credits) OVER each_workspace AS change,
       round(100.0 * (credits / nullif(lag(credits) OVER each_workspace, 0) - 1), 1) AS change_percent
FROM months
WINDOW each_workspace AS (PARTITION BY workspace_id ORDER BY month)
ORDER BY workspace, months.month;
