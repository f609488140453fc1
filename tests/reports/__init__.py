"""What users of other tools reported, tried on this project: a row each, with the test that holds the outcome."""
