"""A program that does nothing but say that it is ready: stands for a process where only its keeping is looked at.

`python -m pointsman.testing.serving VARIABLE [FILE]` serves on the port that the environment variable names. Once the
file is there, it says that it does not live; a new one of it begins by removing the file.
"""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

SICK = Path(sys.argv[2]) if len(sys.argv) > 2 else None


class _Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        lives = SICK is None or not SICK.exists()
        self.send_response(200 if lives else 503)
        self.end_headers()
        self.wfile.write(b"ready\n" if lives else b"a pool is stuck\n")


if __name__ == "__main__":
    if SICK is not None:
        SICK.unlink(missing_ok=True)
    HTTPServer(("127.0.0.1", int(os.environ[sys.argv[1]])), _Ready).serve_forever()
