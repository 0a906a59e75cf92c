"""The rules, one a module: each reads the desk's state and edits it within one decision."""
