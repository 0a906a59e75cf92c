"""An Apache Kafka that lets in only by TLS and SASL: every kind of client of ours, and who may not."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pointsman.local import Kafka, create_topics
from pointsman.local.process import free_port
from pointsman.runtime.broker import BrokerLink, make_producer
from pointsman.runtime.settings import RuntimeSettings
from pointsman.testing.waiting import until
from tests.conftest import CHECKOUT
from tests.integration.runtime.certificates import Authority
from tests.integration.runtime.conftest import Sums
from tests.integration.runtime.sums import DESK

pytestmark = [
    pytest.mark.stack,
    pytest.mark.kafka,
    pytest.mark.skipif(os.environ.get("POINTSMAN_TEST_BROKER") != "kafka", reason="needs Apache Kafka"),
]

SECURED = """
listeners=BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port},SECURED://127.0.0.1:%(port)d
advertised.listeners=BROKER://127.0.0.1:{port},SECURED://127.0.0.1:%(port)d
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL
listener.name.secured.ssl.keystore.type=PEM
listener.name.secured.ssl.keystore.location=%(keystore)s
listener.name.secured.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.secured.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
user_pointsman="let me in";
listener.name.secured.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secured.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
"""
USERS = [
    part
    for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
    for part in ("--add-scram", f"{mechanism}=[name=pointsman,password=let me in]")
]


@pytest.fixture
async def secured(tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    """The settings that are let in."""
    authority = Authority(tmp_path, "authority")
    certificate, key = authority.server("kafka")
    keystore = tmp_path / "keystore.pem"
    keystore.write_bytes(key.read_bytes() + certificate.read_bytes())
    port = free_port()
    password = tmp_path / "password"
    password.write_text("let me in\n")
    broker = Kafka(
        tmp_path / "kafka",
        jars=CHECKOUT / ".pointsman/kafka/lib",
        pom=CHECKOUT / "deploy/kafka/pom.xml",
        more_settings=SECURED % {"port": port, "keystore": keystore},
        format_arguments=USERS,
    )
    async with broker:
        yield {
            "broker": f"127.0.0.1:{port}",
            "broker_security": "sasl_ssl",
            "broker_ca_file": authority.file,
            "broker_username": "pointsman",
            "broker_password_file": password,
        }


async def _reaches(settings: RuntimeSettings) -> bool:
    link = BrokerLink(settings)
    try:
        await link.check()
        return link.cluster is not None
    finally:
        await link.close()


async def test_a_worker_works_on_a_broker_that_asks_for_tls_and_a_password(sums: Sums, secured: dict[str, Any]) -> None:
    """Topics, the link, producer, consumers and what reports positions: each is let in, by each mechanism."""
    plain = sums.settings
    await sums.producer.stop()
    for mechanism in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"):
        assert await _reaches(plain.model_copy(update=secured | {"broker_sasl_mechanism": mechanism})), mechanism
    sums.settings = plain.model_copy(update=secured)
    await create_topics(
        sums.settings.broker, sums.settings.partitions, sums.settings.topic_prefix, settings=sums.settings
    )
    sums.producer = make_producer(sums.settings, sums.settings.broker)
    await sums.producer.start()
    async with sums.worker():
        for number in range(20):
            await sums.say(f"s{number}", {"type": "added", "amount": 1})
        await until(lambda: sums.db.fetchval("SELECT count(*) = 20 FROM sums.sums"))
        assert len(await sums.read(DESK, 20)) == 20


async def test_who_cannot_prove_it_is_not_let_in_and_trusts_no_stranger(
    sums: Sums, secured: dict[str, Any], tmp_path: Path
) -> None:
    let_in = sums.settings.model_copy(update=secured)
    assert await _reaches(let_in)
    wrong = tmp_path / "wrong"
    wrong.write_text("let me in, please")
    for mechanism in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"):
        changes = {"broker_password_file": wrong, "broker_sasl_mechanism": mechanism}
        assert not await _reaches(let_in.model_copy(update=changes)), mechanism
    for change in (
        {"broker_username": "somebody"},
        {"broker_ca_file": Authority(tmp_path, "stranger").file},
        {"broker_ca_file": None},
        {"broker_security": "ssl"},
        {"broker_security": "plaintext"},
    ):
        assert not await _reaches(let_in.model_copy(update=change)), change
