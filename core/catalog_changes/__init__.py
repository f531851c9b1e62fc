"""The catalogue as it is here: what files describe, with what administrators have changed, and what vendors list."""
