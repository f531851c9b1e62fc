"""What was spent, budgeted and forecast, from the daily roll-ups."""
