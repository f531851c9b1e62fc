"""What every page shares: components, words, language, the current user."""
