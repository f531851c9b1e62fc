"""News of generations to webhooks: endpoints, outbox and sender."""
