"""One origin: the HTTP apps of the installed services under their prefixes, in one process.

The same in the local stack, in compose and in a cluster; an image that carries one service serves that one.
"""
