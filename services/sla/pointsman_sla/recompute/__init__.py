"""Recomputing open tickets' clocks under another configuration version: a job whose steps are the lane's (ADR 8)."""
