"""Making examples: questions and answers drawn from the passages of a library."""
