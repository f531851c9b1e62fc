-- Which prompts were ordered most, what did they cost, and was the result kept? Empty in a pack without prompts.
SELECT p.prompt, count(*) AS clips, CAST(sum(c.credits) FILTER (c.status = 'completed') AS BIGINT) AS charged_credits,
       count(*) FILTER (j.verdict = 'kept') AS kept, count(*) FILTER (j.verdict = 'rejected') AS rejected
FROM 'prompts.parquet' p JOIN 'clips.parquet' c USING (clip_id) LEFT JOIN 'judgements.parquet' j USING (clip_id)
GROUP BY p.prompt
ORDER BY clips DESC, p.prompt
LIMIT 50;
