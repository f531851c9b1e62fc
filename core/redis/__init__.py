"""RQ and Redis: the job queue and the counters behind rate limits, never the truth."""
