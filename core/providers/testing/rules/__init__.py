"""Every rule of the contract: a function that takes a stage and raises AssertionError where the provider breaks it."""
