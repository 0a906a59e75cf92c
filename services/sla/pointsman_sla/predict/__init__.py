"""How likely a running clock is to breach: what is noted of the past (`noting`, `durations`), where a ticket stands
(`standing`), what follows from both (`model`), and how far that can be believed (`calibration`, `evaluation`)."""
