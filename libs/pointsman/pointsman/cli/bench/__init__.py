"""`pointsman bench`: what is measured, on servers of its own.

`command` runs one bench and prints it, `servers` starts what it needs, `pipeline` measures the services together. The
services' own benches are found by the entry points `pointsman.benches`.
"""
