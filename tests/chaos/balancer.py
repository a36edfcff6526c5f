"""A balancer (haproxy) before several instances of the service: it asks each for its readiness, and repeats nothing."""

import shutil
import subprocess

from support.addresses import own_loopback
from support.service import Client
from support.waiting import Failed, until

PORT = 8000
# between two questions for readiness, in milliseconds; one bad answer is enough
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
    # a busy instance is no broken one
    timeout check 2s
    # what failed is told to the client, so that this scenario sees it
    retries 0
    option httpchk GET /health/ready
    default-server inter {interval} fall 1 rise 1
frontend faults
    bind {host}:{port}
    default_backend instances
backend instances
    balance roundrobin
"""


class Balancer:
    def __init__(self, stage, services):
        program = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin") or shutil.which("haproxy")
        if not program:
            raise Failed("haproxy is missing: apt-get install haproxy")
        self.host, self.port = own_loopback(), PORT
        file, log = stage.directory / "haproxy.cfg", stage.directory / "haproxy.log"
        servers = [f"    server s{n} {it.host}:{it.port} check\n" for n, it in enumerate(services, 1)]
        file.write_text(SETTINGS.format(host=self.host, port=self.port, interval=INTERVAL) + "".join(servers))
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
