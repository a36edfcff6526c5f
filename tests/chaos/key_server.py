"""An HTTP server of ours that hands out key sets, and remembers every request."""

import http.server
import threading
import time


class KeyServer:
    """Answers as it is told to, by `answer(handler)`; at first with nothing but 404."""

    def __init__(self, stage, host="127.0.0.1"):
        self.requests, self.answer = [], lambda handler: send(handler, 404, b"")
        self.halt = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests.append((time.monotonic(), self.path))
                try:
                    outer.answer(self)
                except OSError:
                    # whoever asked does not wait for the end
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
        self.answer = lambda handler: send(handler, 200, text.encode())

    def since(self, moment):
        return [path for at, path in list(self.requests) if at >= moment]


def send(handler, status, body, headers=()):
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **dict(headers)}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)
