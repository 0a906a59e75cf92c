"""Pure core: instants, ids, decisions, envelopes, the journal. Nothing here does I/O or reads a clock."""
