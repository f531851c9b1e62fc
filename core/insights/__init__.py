"""How models and providers behave: statistics, provider status, circuit breaker."""
