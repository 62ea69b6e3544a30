"""Serve the page: one process, bound to this machine unless the traffic is encrypted."""

import ipaddress
import logging
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from pipelines.errors import LabError
from pipelines.portal.warm import kept_warm


class ServingError(LabError):
    """The page cannot be served as asked."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the page is served.

    Attributes
    ----------
    tls_certificate, tls_key
        PEM files, where the page itself speaks TLS.
    is_behind_tls
        Whether a server in front of it does.
    """

    host: str
    port: int
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    is_behind_tls: bool = False

    @property
    def is_encrypted(self) -> bool:
        """Whether browsers reach the page over TLS only."""
        return self.is_behind_tls or self.tls_certificate is not None

    @property
    def is_this_machine(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def address(self) -> str:
        """What to type into a browser here."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls_certificate else 'http'}://{host}:{self.port}"

    def check(self) -> None:
        """See that nobody's password goes over a network in the clear.

        Raises
        ------
        ServingError
            It would; or a certificate has no key, or the other way round.
        """
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ServingError("--tls-cert and --tls-key belong together. Give both, or neither.")
        for path in (self.tls_certificate, self.tls_key):
            if path is not None and not path.is_file():
                raise ServingError(f"{path} is not there. Name the PEM files of the certificate and its key.")
        if not self.is_this_machine and not self.is_encrypted:
            raise ServingError(
                f"On {self.host} passwords and lists would go over the network unencrypted. Give --tls-cert and "
                "--tls-key, or --behind-tls with a server in front that speaks TLS, or leave --host out."
            )


def serve(app: FastAPI, place: Place) -> None:
    """Serve the page until it is stopped.

    Raises
    ------
    ServingError
        The port is taken, or the certificate cannot be used.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        listening = socket.create_server(
            (place.host, place.port),
            family=socket.AF_INET6 if ":" in place.host else socket.AF_INET,
            backlog=1024,
        )
    except OSError as error:
        raise ServingError(
            f"{place.host}:{place.port} cannot be listened on: {error.strerror}. Name another with --port."
        ) from error
    config = uvicorn.Config(
        app,
        # Its own access log would tell addresses and what was typed into them; ours tells routes.
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        ws="none",
        proxy_headers=place.is_behind_tls,
        forwarded_allow_ips="127.0.0.1,::1",
        ssl_certfile=place.tls_certificate,
        ssl_keyfile=place.tls_key,
        timeout_graceful_shutdown=5,
    )
    with listening:
        try:
            config.load()
        except OSError as error:
            raise ServingError(f"{place.tls_certificate} cannot be used: {error}.") from error
        # Stopping it by hand is how it ends.
        with kept_warm(app), suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])
