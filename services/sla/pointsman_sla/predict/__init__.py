"""How likely a running clock is to breach: what is noted of the past (`observations`, `durations`), where a ticket
stands (`queue_rank`), what follows from both (`model`), and how far to believe that (`calibration`, `evaluation`)."""
