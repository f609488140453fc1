"""One module per question; each has `run(report, short)`."""
