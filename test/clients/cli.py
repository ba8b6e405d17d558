"""Does the work with the AWS CLI: cli.py WORK OUT FOLDER

The program's own main is called for each command; so Python need not start a hundred times."""

import contextlib
import io
import json
import re
import tempfile
import urllib.request
from datetime import datetime
from pathlib import Path

from awscli.clidriver import create_clidriver
from botocore import xform_name

from steps import folder, given, run

scratch = Path(tempfile.mkdtemp(dir=folder))
commands = {"s3": "s3api", "codedeploy": "deploy"}
driver = create_clidriver()


def aws(*args):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = driver.main(list(args))
    return status, out.getvalue(), err.getvalue()


def options(inputs):
    for name, value in inputs.items():
        option = "--" + xform_name(name, "-")
        if isinstance(value, bytes):
            file = scratch / name
            file.write_bytes(value)
            yield option + ("=" if name == "Body" else "=fileb://") + str(file)
        elif name == "Code":
            yield from options(value)
        elif isinstance(value, bool):
            yield option if value else "--no-" + option[2:]
        elif isinstance(value, datetime):
            yield option + "=" + value.isoformat()
        elif isinstance(value, (dict, list)):
            yield option + "=" + json.dumps(value, default=datetime.isoformat)
        else:
            yield option + "=" + str(value)


def call(step, inputs):
    if step.get("presign"):
        _, url, _ = aws("s3", "presign", "s3://%(Bucket)s/%(Key)s" % inputs, "--expires-in=60")
        with urllib.request.urlopen(url.strip()) as answer:
            return {"status": answer.status, "body": answer.read().decode()}
    args = [commands.get(step["service"], step["service"]), xform_name(step["operation"], "-"), "--no-paginate", "--output=json"]
    args += options(given(inputs))
    content = None
    if step["operation"] in ("GetObject", "Invoke"):
        content = scratch / "content"
        content.unlink(missing_ok=True)
        args.append(str(content))
    status, out, err = aws(*args)
    if status:
        m = re.search(r"An error occurred \((\S+)\) when calling the \w+ operation(?: \(reached max retries: \d+\))?: (.*)", err, re.S)
        return {"error": {"code": m[1], "message": m[2].strip()} if m else {"code": "?", "message": err.strip()}}
    answer = json.loads(out) if out.strip() else {}
    if content and content.exists():
        answer["Body" if step["operation"] == "GetObject" else "Payload"] = content.read_text()
    return answer


run("client-cl", call)
