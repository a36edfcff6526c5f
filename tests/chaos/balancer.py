"""A load balancer (haproxy) for several instances, with readiness checks and without retries."""

import shutil
import subprocess

from support.addresses import own_loopback
from support.service import Client
from support.waiting import Failed, until

PORT = 8000
# milliseconds between two readiness checks; one failure takes an instance out
INTERVAL = 200
SETTINGS = """
global
    maxconn 1000
    log stdout format raw local0 notice
defaults
    mode http
    log global
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    # a busy instance is not a broken one
    timeout check 2s
    # errors reach the client, so that the scenario sees them
    retries 0
    option httpchk GET /health/ready
    default-server inter {interval} fall 1 rise 1
frontend chaos
    bind {host}:{port}
    default_backend instances
backend instances
    balance roundrobin
"""


class Balancer:
    def __init__(self, stage, services):
        program = shutil.which(
            "haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin"
        ) or shutil.which("haproxy")
        if not program:
            raise Failed("haproxy is missing: apt-get install haproxy")
        self.host, self.port = own_loopback(), PORT
        file, log = stage.directory / "haproxy.cfg", stage.directory / "haproxy.log"
        servers = [
            f"    server s{n} {service.host}:{service.port} check\n"
            for n, service in enumerate(services, 1)
        ]
        file.write_text(
            SETTINGS.format(host=self.host, port=self.port, interval=INTERVAL) + "".join(servers)
        )
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [program, "-db", "-f", file], stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        stage.logs.append(log)
        stage.callback(self.stop)
        until(self.is_ready, "the balancer", 30, lambda: self.process.poll() is None)

    def is_ready(self):
        try:
            return Client(self, timeout=5).call("GET", "/health/ready").status == 200
        except OSError:
            return False

    def stop(self):
        self.process.kill()
        self.process.wait(30)
