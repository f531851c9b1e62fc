-- Who spent what on which project in the newest month of the pack? Put another month in place of it.
WITH newest AS (SELECT date_trunc('month', max(day)) AS month FROM 'usage_days.parquet')
SELECT workspace, person, project, cost_centre,
       CAST(sum(settled_credits) AS BIGINT) AS credits, CAST(sum(settled_idr) AS BIGINT) AS idr,
       CAST(sum(completed) AS BIGINT) AS clips
FROM 'usage_days.parquet', newest
WHERE date_trunc('month', day) = newest.month
GROUP BY workspace_id, workspace, person_id, person, project_id, project, cost_centre
HAVING sum(settled_credits) > 0
ORDER BY credits DESC, workspace, person, project;
