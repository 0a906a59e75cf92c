"""A guarded process reaches public addresses and its own files, and nothing else, whichever way it tries."""

import subprocess
import sys
from pathlib import Path

import pytest

WAYS = {
    "connecting to this host": "socket.create_connection(('127.0.0.1', 9))",
    "connecting without an exception": "socket.socket().connect_ex(('127.0.0.1', 9))",
    "connecting over IPv6": "socket.socket(socket.AF_INET6).connect(('::1', 9))",
    "connecting to the cloud's own address": "socket.create_connection(('169.254.169.254', 80))",
    "connecting to any address of this host": "socket.create_connection(('0.0.0.0', 9))",
    "connecting by a name that the system resolves": "socket.socket().connect(('localhost', 9))",
    "connecting past TLS": "ssl.create_default_context().wrap_socket(socket.socket(), server_hostname='a')"
    ".connect(('127.0.0.1', 9))",
    "connecting from asyncio": "asyncio.run(asyncio.open_connection('127.0.0.1', 9))",
    "a socket of this host": "socket.socket(socket.AF_UNIX).connect('/tmp/x')",
    "a datagram": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('8.8.8.8', 53))",
    "listening": "socket.socket().bind(('127.0.0.1', 0))",
    "reading a file": "open('/etc/passwd')",
    "reading a file through a folder of its own": "open(sys.prefix + '/../../../../../../../../etc/passwd')",
    "reading a file by its descriptor": "os.open('/etc/passwd', os.O_RDONLY)",
    "writing a file": "os.write(os.open(sys.prefix + '/written', os.O_WRONLY | os.O_CREAT), b'x')",
    "starting a program": "subprocess.run(['true'])",
    "starting a program of the shell": "os.system('true')",
    "becoming a program": "os.execv('/bin/true', ['true'])",
    "forking": "os.fork()",
}


@pytest.fixture(scope="module")
def tried() -> dict[str, str]:
    """What became of each way, tried in one guarded process."""
    program = "\n".join(
        (
            "import asyncio, os, socket, ssl, subprocess, sys",
            "from pointsman_sla.notify.guard import shut_in",
            "shut_in(loopback=False, refused=lambda words: None)",
            f"for name, way in {WAYS!r}.items():",
            "    try:",
            "        exec(way)",
            "        print(name, 'done', sep=': ')",
            "    except OSError as error:",
            "        print(name, type(error).__name__, error, sep=': ')",
        )
    )
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return dict(line.split(": ", 1) for line in done.stdout.splitlines())


@pytest.mark.parametrize("way", WAYS)
def test_it_is_refused(tried: dict[str, str], way: str) -> None:
    assert tried[way].startswith(("AddressRefused", "PermissionError", "OSError: [Errno 27]")), tried[way]


def test_nothing_was_written(tried: dict[str, str]) -> None:
    written = Path(sys.prefix) / "written"
    assert not written.exists() or written.read_bytes() == b""
    written.unlink(missing_ok=True)
