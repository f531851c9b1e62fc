"""The sample company: invented people, teams and a year of their work, made and removed with one press each."""
