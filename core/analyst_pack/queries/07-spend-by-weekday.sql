-- On which days of the week is spent? 1 is Monday; days are UTC.
SELECT isodow(day) AS weekday, dayname(day) AS name, CAST(sum(settled_credits) AS BIGINT) AS credits,
       CAST(sum(completed) AS BIGINT) AS clips
FROM 'usage_days.parquet'
GROUP BY weekday, name
ORDER BY weekday;
