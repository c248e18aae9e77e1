"""The report in a browser: what it shows, and what its tables, grid and viewer do."""
