"""A program that does nothing but say that it is ready: stands for a process where only its keeping is looked at.

`python -m pointsman.testing.serving VARIABLE` serves on the port that the environment variable names.
"""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class _Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ready\n")


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(os.environ[sys.argv[1]])), _Ready).serve_forever()
