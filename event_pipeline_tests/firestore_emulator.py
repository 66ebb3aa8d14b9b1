"""Google's Firestore emulator as a child process: the jar of the Google Cloud SDK, run on Java."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 90
_MAIN_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"


class EmulatorMissing(Exception):
    """This machine lacks the emulator; the message says what to install."""


@contextmanager
def running_emulator() -> Iterator[str]:
    """The emulator's ``host:port`` for as long as the block runs. Raises EmulatorMissing."""
    java, jar = _find()
    port = _free_port()
    command = [java, "-Duser.language=en", "-cp", str(jar), _MAIN_CLASS, "--host=127.0.0.1", f"--port={port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            reader = _wait_until_ready(process)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                # Nothing in it is to be kept, and it may be busy with a client that is gone.
                process.kill()
        reader.join()


def _find() -> tuple[str, Path]:
    java, gcloud = shutil.which("java"), shutil.which("gcloud")
    if not java:
        raise EmulatorMissing("the Firestore emulator needs Java 17 on PATH")
    if not gcloud:
        raise EmulatorMissing("the Firestore emulator needs the Google Cloud SDK (gcloud) on PATH")
    answer = subprocess.run(
        [gcloud, "info", "--format=value(installation.sdk_root)"], capture_output=True, text=True, check=True
    )
    jar = Path(answer.stdout.strip(), "platform", "cloud-firestore-emulator", "cloud-firestore-emulator.jar")
    if not jar.exists():
        raise EmulatorMissing(f"{jar} is missing: run `gcloud components install cloud-firestore-emulator`")
    return java, jar


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_ready(process: subprocess.Popen[str]) -> threading.Thread:
    """Return once the emulator says it is running; the thread drains its output, or it would block on a full pipe."""
    assert process.stdout is not None
    ready = threading.Event()
    lines: list[str] = []

    def follow(output: Iterator[str]) -> None:
        for line in output:
            if not ready.is_set():
                lines.append(line)
                if "is now running" in line:
                    ready.set()
        ready.set()

    reader = threading.Thread(target=follow, args=(process.stdout,), daemon=True)
    reader.start()
    if not ready.wait(START_SECONDS) or process.poll() is not None:
        raise RuntimeError("the Firestore emulator did not start:\n" + "".join(lines[-20:]))
    return reader
