-- Which credits are reserved, for whose clips, and since when? The sum of a workspace is what its account holds.
SELECT a.workspace, a.held_credits, c.person, c.model_id, c.status, c.credits, c.ordered_at
FROM 'accounts.parquet' a
LEFT JOIN 'clips.parquet' c
       ON c.workspace_id = a.workspace_id AND c.status NOT IN ('completed', 'failed', 'cancelled')
WHERE a.held_credits > 0
ORDER BY a.workspace, c.ordered_at;
