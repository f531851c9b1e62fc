"""What models can make and what they cost in credits; pure data and rules."""
