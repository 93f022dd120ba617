"""Cases and cohorts: which there are, what is finished, what a run writes."""
