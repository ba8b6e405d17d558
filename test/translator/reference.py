"""Transforms templates with AWS's own translator (aws-sam-translator): reads requests, one line of JSON each, and answers in lines.

request: {"template": {...}, "region": "...", "partition": "..."}
answer:  {"template": {...}} or {"message": "..."}, what AWS would say; or {"crash": "..."}, where the translator itself fails
"""
import functools
import json
import logging
import os
import sys
import warnings

import boto3
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.policy_template_processor.processor import PolicyTemplatesProcessor
from samtranslator.translator.translator import Translator
from samtranslator.utils.py27hash_fix import to_py27_compatible_template, undo_mark_unicode_str_in_template

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

# For each template the translator holds its own policy templates against their schema, which takes longer than all else.
PolicyTemplatesProcessor._is_valid_templates_dict = staticmethod(lambda *_: True)


@functools.cache
def session_in(region):
    return boto3.Session(region_name=region)


def transform(template, region, partition):
    os.environ["AWS_DEFAULT_REGION"] = region
    parameters = {"AWS::Region": region, "AWS::Partition": partition}
    to_py27_compatible_template(template, parameters)
    made = Translator(None, Parser(), boto_session=session_in(region)).translate(
        template, parameter_values=parameters, get_managed_policy_map=dict
    )
    return undo_mark_unicode_str_in_template(made)


def sort_key(cause):
    for name in ("_logical_id", "_event_id"):
        if hasattr(cause, name):
            return getattr(cause, name)
    return cause.message


def message(error):
    causes = list({cause.message: cause for cause in reversed(error.causes)}.values())[::-1]
    heading = f"Invalid Serverless Application Specification document. Number of errors found: {len(causes)}."
    return " ".join([heading] + [cause.message for cause in sorted(causes, key=sort_key)])


def answer(request):
    try:
        return {"template": transform(request["template"], request["region"], request["partition"])}
    except InvalidDocumentException as error:
        try:
            return {"message": message(error)}
        except Exception as failure:
            return {"crash": repr(failure)}
    except Exception as failure:
        return {"crash": repr(failure)}


for line in sys.stdin:
    try:
        text = json.dumps(answer(json.loads(line)))
    except TypeError as failure:
        text = json.dumps({"crash": repr(failure)})
    print(text, flush=True)
