"""What providers take: margins of models, the dollar, and prices that are old."""
