"""What must always be true of money and clips, and the runs that check it."""
