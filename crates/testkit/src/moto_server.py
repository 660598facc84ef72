# moto's server on a free port of 127.0.0.1, which it prints. It ends with its stdin: with the test, however that ends.
# One request at a time: moto checks a condition and writes in two steps, and must not race with itself. But a thread for
# each connection: clients open some that they never use, and nobody should wait for those.
import logging, os, sys, threading
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
logging.getLogger("werkzeug").disabled = True
one = threading.Lock()
backend = DomainDispatcherApplication(create_backend_app)
def answer(environ, start_response):
    with one:
        return list(backend(environ, start_response))
server = make_server("127.0.0.1", 0, answer, threaded=True)
print(server.server_port, flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
server.serve_forever()
