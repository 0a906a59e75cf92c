"""The production desk on a virtual clock: drawn or recorded customers, checked and measured.

`scenario` reads what is to be simulated, `customers` draws who comes, `floor` plays one replication on a real desk,
`watch` checks it, `figures` measures it, `run` plays all replications. docs/simulation.md is the user's page.
"""
