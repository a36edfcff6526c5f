"""An HTTP server for key sets (JWKS) that records every request."""

import http.server
import threading
import time


class KeyServer:
    """Serves each request with `respond(handler)`, which tests replace; at first 404."""

    def __init__(self, stage, host="127.0.0.1"):
        self.requests = []
        self.respond = lambda handler: send(handler, 404, b"")
        self.halt = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests.append((time.monotonic(), self.path))
                try:
                    outer.respond(self)
                except OSError:
                    # the client closed the connection
                    pass

            do_POST = do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((host, 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://{host}:{self.server.server_port}/keys.json"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        stage.callback(self.stop)

    def stop(self):
        self.halt.set()
        self.server.shutdown()
        self.server.server_close()

    def hand_out(self, text):
        self.respond = lambda handler: send(handler, 200, text.encode())

    def since(self, moment):
        return [path for at, path in list(self.requests) if at >= moment]


def send(handler, status, body, headers=()):
    handler.send_response(status)
    for name, value in {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **dict(headers),
    }.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)
