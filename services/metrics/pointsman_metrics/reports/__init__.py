"""KPI reports: each figure from the rows of its tickets or clocks, with its definition and how it was computed."""
