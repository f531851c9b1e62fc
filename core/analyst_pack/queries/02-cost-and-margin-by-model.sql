-- What did each model bring in, what did its provider take, and what is left? In rupiah; the cost is partly an estimate.
SELECT provider, model_id, CAST(sum(completed) AS BIGINT) AS clips,
       CAST(sum(settled_idr) AS BIGINT) AS charged_idr, CAST(sum(cost_idr) AS BIGINT) AS cost_idr,
       CAST(sum(settled_idr) - sum(cost_idr) AS BIGINT) AS margin_idr,
       round(sum(settled_idr) / nullif(sum(cost_idr), 0), 2) AS markup,
       CAST(sum(still_estimated_cost_idr) AS BIGINT) AS of_cost_estimated_idr
FROM 'usage_days.parquet'
GROUP BY provider, model_id
ORDER BY charged_idr DESC, provider, model_id;
