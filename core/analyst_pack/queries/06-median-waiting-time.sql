-- How long do people wait from the order to the clip? Seconds, by model: the middle, and what nine of ten stay below.
SELECT provider, model_id, count(*) AS clips,
       round(median(date_diff('millisecond', ordered_at, ended_at)) / 1000, 1) AS median_seconds,
       round(quantile_cont(date_diff('millisecond', ordered_at, ended_at), 0.9) / 1000, 1) AS p90_seconds
FROM 'clips.parquet'
WHERE status = 'completed'
GROUP BY provider, model_id
ORDER BY median_seconds DESC, model_id;
