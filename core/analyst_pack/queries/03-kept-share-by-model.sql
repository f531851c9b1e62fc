-- Of the clips that people judged, how many did they keep, and what does a kept second cost with all that was not kept?
SELECT model_id, CAST(sum(completed) AS BIGINT) AS clips, CAST(sum(kept_count) AS BIGINT) AS kept,
       CAST(sum(rejected_count) AS BIGINT) AS rejected,
       round(sum(kept_count) / nullif(sum(kept_count) + sum(rejected_count), 0), 3) AS kept_share,
       round(sum(settled_credits) / nullif(sum(kept_seconds), 0), 1) AS credits_per_kept_second
FROM 'usage_days.parquet'
GROUP BY model_id
ORDER BY kept_share DESC NULLS LAST, model_id;
