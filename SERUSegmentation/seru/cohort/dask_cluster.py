"""Where a cohort's tasks go: worker processes of this computer's own, or a cluster that someone has started."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from urllib.parse import urlsplit

import dask
from distributed import Client, LocalCluster, WorkerPlugin
from distributed.client import ClosedClientError
from distributed.comm import connect
from distributed.security import Security
from distributed.worker import Worker

from seru.errors import BadInputError, SeruError

_LOOPBACK = "127.0.0.1"
_CONNECT_S = 10
_CHATTY = ("asyncio", "distributed", "tornado")
# A worker that dies is its case's fault or not: the client finds out, by trying each such case once more, alone.
_SCHEDULING = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.worker-saturation": 1.0,
    # Even without a dashboard a port answers to HTTP, then with nothing.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # For a dashboard, too.
    "distributed.worker.profile.enabled": False,
}


@contextmanager
def local_client(workers: int) -> Iterator[Client]:
    """Start worker processes for this run alone; they end with it.

    They are reached through the loopback interface, with a certificate made for them alone (TLS): other users of this
    computer could else have them run what they like.

    Args:
        workers: their number; each runs one case at a time.

    Yields:
        What tasks are submitted to.

    Raises:
        SeruError: they do not start.
    """
    _silence()
    with dask.config.set(_SCHEDULING):
        try:
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                host=_LOOPBACK,
                dashboard_address=f"{_LOOPBACK}:0",
                scheduler_kwargs={"dashboard": False},
                memory_limit=0,  # a run looks after its memory itself
                silence_logs=logging.CRITICAL,
                security=True,
            )
        except (OSError, RuntimeError, TimeoutError) as error:
            raise SeruError(f"The worker processes do not start ({error}); try fewer, or run without them.") from error
        with cluster, Client(cluster, set_as_default=False) as client:
            client.register_plugin(_Undisturbed())
            yield client


@contextmanager
def remote_client(address: str) -> Iterator[Client]:
    """Connect to a scheduler that someone has started.

    Args:
        address: of the scheduler: ``tls://host:port``, with the certificates of Dask's own configuration, or
            ``tcp://host:port``.

    Yields:
        What tasks are submitted to.

    Raises:
        BadInputError: nothing answers there, or the certificates do not fit.
    """
    _silence()
    if is_encrypted(address) and Security().get_connection_args("client").get("ssl_context") is None:
        raise BadInputError(
            f"Dask's configuration names no certificates for '{address}' (distributed.comm.tls.client); add them as "
            "docs/cluster.md says."
        )
    try:
        asyncio.run(_knock(address))
        client = Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise BadInputError(
            f"No Dask scheduler answers at '{address}' within {_CONNECT_S} s; start it first, or check the address"
            f"{' and the certificates' if is_encrypted(address) else ''}."
        ) from error
    except (ImportError, ValueError, TypeError, RuntimeError) as error:  # the first where versions do not fit, too
        text = " ".join(str(error).split()).rstrip(".")
        raise BadInputError(
            f"The address '{address}' cannot be used ({text}); give tls://host:port or tcp://host:port."
        ) from error
    with client:
        yield client


async def _knock(address: str) -> None:
    """Connect once; a client that cannot use an address is never quite closed, and complains when it is forgotten."""
    comm = await connect(address, timeout=_CONNECT_S, **Security().get_connection_args("client"))
    await comm.close()


def is_encrypted(address: str) -> bool:
    """Tell whether what goes to an address is encrypted, and both ends know each other."""
    return address.startswith(("tls://", "wss://"))


def stays_here(address: str) -> bool:
    """Tell whether what goes to an address stays on this computer."""
    host = urlsplit(address if "://" in address else f"tcp://{address}").hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def workers_of(client: Client) -> list[str]:
    """Return the addresses of the workers that are there; none where the scheduler has just gone."""
    try:
        return list(client.ncores())
    except (OSError, ClosedClientError):
        return []


class _Undisturbed(WorkerPlugin):
    """Leaves Ctrl+C, which reaches every process of a terminal, to the client alone."""

    def setup(self, worker: Worker) -> None:
        import signal

        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _silence() -> None:
    """Say what is to be said in sentences of ours; Dask gives some of its parts levels of their own."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in _CHATTY:
            logging.getLogger(name).setLevel(logging.CRITICAL)
