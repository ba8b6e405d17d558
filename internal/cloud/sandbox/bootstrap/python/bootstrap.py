"""Runs a Python Lambda function: fetches events from the Runtime API, calls the handler, sends back what it answers.

Written for Python 3.6 and later.
"""
import importlib
import importlib.util
import json
import logging
import os
import signal
import sys
import threading
import time
import traceback

if sys.path and sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
    sys.path.pop(0)  # this file's folder is none of the function's business
sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])

API = "/2018-06-01/runtime/"


class Connection:
    """One connection to the Runtime API, kept for the life of the process."""

    def __init__(self, address):
        import socket

        host, port = address.rsplit(":", 1)
        self.host = address
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb", 65536)

    @staticmethod
    def format(host, method, path, headers, body):
        head = "%s %s HTTP/1.1\r\nHost: %s\r\n" % (method, path, host)
        for name, value in headers.items():
            head += "%s: %s\r\n" % (name, value)
        if body is not None:
            head += "Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
        return (head + "\r\n").encode("latin-1", "replace") + (body or b"")

    def send(self, *requests):
        """Sends requests at once: the answer to one event and the wish for the next go together."""
        self.socket.sendall(b"".join(self.format(self.host, *r) for r in requests))

    def receive(self):
        line = self.stream.readline()
        if not line:
            os._exit(1)
        status, headers = int(line.split(b" ", 2)[1]), {}
        while True:
            line = self.stream.readline()
            if line in (b"\r\n", b""):
                break
            name, value = line.split(b":", 1)
            headers[name.decode("latin-1").lower()] = value.strip().decode("utf-8", "replace")
        return status, headers, self.stream.read(int(headers.get("content-length", 0)))


class RuntimeFault(Exception):
    """An error that AWS names itself."""

    def __init__(self, kind, message, trace=None):
        super().__init__(message)
        self.kind = kind
        self.trace = trace or []


class ClientContext:
    class Client:
        def __init__(self, told):
            for name in ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"):
                setattr(self, name, told.get(name))

    def __init__(self, told):
        self.client = self.Client(told["client"]) if told.get("client") else None
        self.custom = told.get("custom")
        self.env = told.get("env")


class CognitoIdentity:
    def __init__(self, told):
        self.cognito_identity_id = told.get("cognitoIdentityId")
        self.cognito_identity_pool_id = told.get("cognitoIdentityPoolId")


class LambdaContext:
    def __init__(self, headers):
        env = os.environ
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.function_name = env.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = env.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = env.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = env.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = env.get("AWS_LAMBDA_LOG_STREAM_NAME")
        client = headers.get("lambda-runtime-client-context")
        self.client_context = ClientContext(json.loads(client)) if client else None
        self.identity = CognitoIdentity(json.loads(headers.get("lambda-runtime-cognito-identity") or "{}"))
        self.tenant_id = None
        self._deadline = int(headers["lambda-runtime-deadline-ms"])

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline - int(time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))


def put(text):
    """Writes one event of the log. A zero byte before a line end says that the event goes on."""
    sys.stdout.write(text.rstrip("\n").replace("\n", "\0\n") + "\n")


class LogHandler(logging.Handler):
    def emit(self, record):
        try:
            put(self.format(record))
        except Exception:
            self.handleError(record)


class RequestFilter(logging.Filter):
    request_id = None

    def filter(self, record):
        record.aws_request_id = RequestFilter.request_id
        return True


class JSONFormatter(logging.Formatter):
    def format(self, record):
        told = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": RequestFilter.request_id,
        }
        if record.exc_info:
            told["errorType"] = record.exc_info[0].__name__
            told["errorMessage"] = str(record.exc_info[1])
            told["stackTrace"] = traceback.format_tb(record.exc_info[2])
        return json.dumps(told, default=str)


def prepare_logging():
    handler = LogHandler()
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        handler.setFormatter(JSONFormatter())
    else:
        formatter = logging.Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S")
        formatter.converter = time.gmtime
        handler.setFormatter(formatter)
    handler.addFilter(RequestFilter())
    logging.getLogger().addHandler(handler)


def prepare_output():
    """A line that is printed is out, whatever happens next."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True, encoding="utf-8", errors="replace")
        sys.stderr.reconfigure(line_buffering=True, encoding="utf-8", errors="replace")
    else:
        import io

        sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding="utf-8", errors="replace", line_buffering=True)
        sys.stderr = io.TextIOWrapper(sys.stderr.detach(), encoding="utf-8", errors="replace", line_buffering=True)


def watch_lifeline():
    """Ends this process, and what it has started, when the program that runs it is gone."""

    def watch():
        try:
            while os.read(3, 1):
                pass
        except OSError:
            return
        os.killpg(0, signal.SIGKILL)

    if hasattr(os, "killpg"):
        threading.Thread(target=watch, daemon=True).start()


class SDKFinder:
    """Leads boto3 before 1.28, which does not read AWS_ENDPOINT_URL, to it."""

    def __init__(self, endpoint):
        self.endpoint = endpoint

    def find_spec(self, name, path=None, target=None):
        if name != "botocore.session":
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec is None or spec.loader is None:
            return spec
        execute, endpoint = spec.loader.exec_module, self.endpoint

        def exec_module(module):
            execute(module)
            lead(module, endpoint)

        spec.loader.exec_module = exec_module
        return spec


def lead(module, endpoint):
    import botocore

    try:
        version = tuple(int(n) for n in botocore.__version__.split(".")[:2])
    except ValueError:
        return
    if version >= (1, 31):
        return
    create = module.Session.create_client

    def create_client(self, service_name, region_name=None, api_version=None, use_ssl=True, verify=None, endpoint_url=None, *args, **kwargs):
        return create(self, service_name, region_name, api_version, use_ssl, verify, endpoint_url or endpoint, *args, **kwargs)

    module.Session.create_client = create_client


def load_handler(handler):
    try:
        module_name, function_name = handler.rsplit(".", 1)
    except ValueError as e:
        raise RuntimeFault("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (handler, e))
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as e:
        raise RuntimeFault("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, e))
    except SyntaxError as e:
        raise RuntimeFault("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, e),
                           ['  File "%s" Line %s\n    %s\n' % (e.filename, e.lineno, (e.text or "").strip())])
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise RuntimeFault("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (function_name, module_name))


def error_answer(error, request_id=""):
    if isinstance(error, RuntimeFault):
        kind, trace = error.kind, error.trace
    else:
        kind = type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)
        while frames and frames[0].filename in (__file__, "<frozen importlib._bootstrap>"):
            frames.pop(0)
        trace = traceback.format_list(frames)
    return {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": trace}


def log_error(answer):
    text = "[ERROR] %s: %s" % (answer["errorType"], answer["errorMessage"])
    if answer["stackTrace"]:
        text += "\nTraceback (most recent call last):\n" + "".join(answer["stackTrace"])
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        text = json.dumps({"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "log_level": "ERROR",
                           "errorType": answer["errorType"], "errorMessage": answer["errorMessage"],
                           "requestId": answer["requestId"], "stackTrace": answer["stackTrace"]})
    put(text)


def fault(where, answer):
    headers = {"Lambda-Runtime-Function-Error-Type": answer["errorType"]}
    return "POST", API + where, headers, json.dumps(answer).encode()


def number(value):
    from decimal import Decimal

    if isinstance(value, Decimal):
        return float(value)
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def to_json(value):
    # From Python 3.12 on, AWS's runtime leaves characters outside of ASCII as they are.
    plain = sys.version_info >= (3, 12)
    return json.dumps(value, default=number, ensure_ascii=not plain).encode("utf-8", "surrogatepass")


def answer_of(handler, body, context):
    """Calls the handler, and makes of what it returns or raises the request that tells it."""
    where = "invocation/" + context.aws_request_id
    try:
        try:
            event = json.loads(body.decode("utf-8"))
        except ValueError as e:
            raise RuntimeFault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % e)
        result = handler(event, context)
        try:
            return "POST", API + where + "/response", {}, to_json(result)
        except (TypeError, ValueError) as e:
            raise RuntimeFault("Runtime.MarshalError", "Unable to marshal response: %s" % e)
    except Exception as e:
        told = error_answer(e, context.aws_request_id)
        log_error(told)
        return fault(where + "/error", told)


def serve(connection, handler):
    connection.send(("GET", API + "invocation/next", {}, None))
    while True:
        status, headers, body = connection.receive()
        if status != 200:
            os._exit(1)
        RequestFilter.request_id = headers["lambda-runtime-aws-request-id"]
        if "lambda-runtime-trace-id" in headers:
            os.environ["_X_AMZN_TRACE_ID"] = headers["lambda-runtime-trace-id"]
        request = answer_of(handler, body, LambdaContext(headers))
        sys.stdout.flush()
        sys.stderr.flush()
        connection.send(request, ("GET", API + "invocation/next", {}, None))
        status, _, body = connection.receive()
        if status == 413:
            put("[ERROR] %s" % body.decode("utf-8", "replace"))


def main():
    prepare_output()
    watch_lifeline()
    prepare_logging()
    connection = Connection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    if os.environ.get("AWS_ENDPOINT_URL"):
        sys.meta_path.insert(0, SDKFinder(os.environ["AWS_ENDPOINT_URL"]))
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as e:
        told = error_answer(e)
        log_error(told)
        connection.send(fault("init/error", told))
        connection.receive()
        sys.exit(1)
    serve(connection, handler)


if __name__ == "__main__":
    main()
