-- What was in vain, and why? Failed and cancelled clips gave their credits back; rejected ones were charged.
SELECT outcome, reason, count(*) AS clips, CAST(sum(credits) AS BIGINT) AS credits
FROM (
    SELECT status AS outcome, coalesce(nullif(error_code, ''), 'none given') AS reason, credits
    FROM 'clips.parquet'
    WHERE status IN ('failed', 'cancelled')
    UNION ALL
    SELECT 'rejected', coalesce(j.reject_reason, 'none given'), c.credits
    FROM 'judgements.parquet' j JOIN 'clips.parquet' c USING (clip_id)
    WHERE j.verdict = 'rejected' AND c.status = 'completed'
)
GROUP BY outcome, reason
ORDER BY credits DESC, outcome, reason;
