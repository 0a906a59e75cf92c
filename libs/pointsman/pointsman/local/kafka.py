"""Apache Kafka 4, one node of KRaft on a JVM, as a child process: the reference broker."""

import asyncio
import base64
import fcntl
import os
import shutil
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from pointsman.local.process import LocalProcess, LocalStackError, free_port
from pointsman.local.server import LocalServer
from pointsman.local.topics import answers

_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=BROKER://127.0.0.1:{port}
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.enable=false
num.network.threads=2
num.io.threads=4
message.max.bytes=6291456
replica.fetch.max.bytes=6291456
"""

_LOG4J = """\
status = error
appender.console.type = Console
appender.console.name = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c: %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = CONSOLE
"""


class Kafka(LocalServer):
    """A broker on loopback. Entering starts it with its data in `<folder>/data`, leaving stops it.

    The log survives a stop and a crash of the process; a new folder is a new cluster. `jars` is where the jars are or
    will be copied to by Maven, once for all brokers of this checkout; `pom` says which.
    """

    title = "Kafka"
    kind = "kafka"
    settings: ClassVar[dict[str, Any]] = {}
    """What `RuntimeSettings` must be for it, beyond the defaults: those are for it."""
    stop_within_seconds = 10

    def __init__(
        self,
        folder: Path,
        *,
        jars: Path | None = None,
        pom: Path | None = None,
        more_settings: str = "",
        format_arguments: Sequence[str] = (),
    ) -> None:
        """`more_settings` are further lines of its properties, in which `{port}` and
        `{controller_port}` stand for its ports, and the last of a name counts; `format_arguments` go to the
        formatting of a new folder: both for a broker that asks clients for more than the local one does."""
        super().__init__(folder)
        self._more_settings, self._format_arguments = more_settings, tuple(format_arguments)
        self.jars = (jars or Path(".pointsman/kafka/lib")).resolve()
        self.pom = (pom or Path("deploy/kafka/pom.xml")).resolve()
        self.cluster_id = ""

    async def _prepared(self) -> LocalProcess:
        """Formats the storage with a fresh cluster id when the folder is new."""
        java = shutil.which("java")
        if java is None:
            raise LocalStackError("Kafka needs a JVM 17 or newer: there is no java (package openjdk-17-jre-headless)")
        await asyncio.to_thread(self._fetch_jars)
        self.port = self.port or free_port()
        controller_port = free_port()
        data = self.folder / "data"
        settings = self.folder / "server.properties"
        self.folder.mkdir(parents=True, exist_ok=True)
        plain = _SETTINGS.format(port=self.port, controller_port=controller_port, data=data)
        more = self._more_settings.replace("{port}", str(self.port))
        settings.write_text(plain + more.replace("{controller_port}", str(controller_port)))
        (self.folder / "log4j2.properties").write_text(_LOG4J)
        command = [
            *(java, "-Xms256m", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"),
            f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}",
            *("-cp", f"{self.jars}/*"),
        ]
        if not (data / "meta.properties").exists():
            shutil.rmtree(data, ignore_errors=True)
            self.cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
            await asyncio.to_thread(self._format, command, settings)
        return LocalProcess("kafka", [*command, "kafka.Kafka", settings], self.folder)

    async def _answering(self, process: LocalProcess) -> None:
        await process.listening(self.port, within_seconds=60)
        await answers(self.address, process, within_seconds=30)

    def _format(self, command: list[str], settings: Path) -> None:
        arguments = ["kafka.tools.StorageTool", "format", "--cluster-id", self.cluster_id, "--config", str(settings)]
        arguments += self._format_arguments
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise self._failed("Kafka's storage cannot be formatted", "kafka-format", done.stdout + done.stderr)

    def _fetch_jars(self) -> None:
        """Copies the jars once; of two processes that start together one waits for the other."""
        self.jars.parent.mkdir(parents=True, exist_ok=True)
        with (self.jars.parent / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.jars.exists():
                return
            maven = shutil.which("mvn")
            if maven is None:
                raise LocalStackError("Kafka's jars are fetched with Maven: there is no mvn (package maven)")
            if not self.pom.exists():
                raise LocalStackError(f"{self.pom} is not there: start Kafka in a checkout of Pointsman")
            partial = self.jars.with_name("lib.partial")
            shutil.rmtree(partial, ignore_errors=True)
            done = subprocess.run(
                [
                    *(maven, "-q", "-B", "-f", str(self.pom), "dependency:copy-dependencies"),
                    *(f"-DoutputDirectory={partial}", "-DincludeScope=runtime"),
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise self._failed("Maven cannot fetch Kafka's jars", "maven", done.stdout + done.stderr)
            os.rename(partial, self.jars)
