"""Whether a process lives: it runs, and its `/healthz` says so within a time limit.

A process that was started again is given longer for its first word. One that ended is not looked at: whoever keeps it
starts it again.
"""

import asyncio
import time

import httpx

from pointsman.local.process import LocalProcess

ASK_EVERY_SECONDS = 10.0
ANSWER_SECONDS = 5.0
FIRST_WORD_SECONDS = 120.0


async def not_alive(process: LocalProcess, port: int, seconds: float) -> str:
    """Returns once the process, which is up already, did not say for `seconds` that it lives: what it said instead, in
    one line."""
    pid, last_word, patience = process.pid, time.monotonic(), seconds
    async with httpx.AsyncClient(trust_env=False, timeout=min(ANSWER_SECONDS, seconds)) as client:
        while True:
            await asyncio.sleep(min(ASK_EVERY_SECONDS, seconds / 2))
            now = time.monotonic()
            if not process.running or process.pid != pid:
                pid, last_word, patience = process.pid if process.running else None, now, FIRST_WORD_SECONDS
                continue
            why = await _why_not(client, port)
            if why is None:
                last_word, patience = now, seconds
            elif now - last_word >= patience and process.running and process.pid == pid:
                return why


async def _why_not(client: httpx.AsyncClient, port: int) -> str | None:
    """What speaks against its life; None when it says that it lives."""
    try:
        answer = await client.get(f"http://127.0.0.1:{port}/healthz")
    except httpx.TransportError as error:
        return f"no answer: {error!r}"
    return None if answer.status_code == 200 else f"{answer.status_code} {answer.text.strip()[:200]}"
