"""Runs AWS's own translator (aws-sam-translator) over templates.

reference.py time ROUNDS FILE...   processor time of a template in microseconds, by what is done, as JSON
reference.py one FILE              transforms one template and prints it, as a command would
"""
import json
import logging
import sys
import time
import warnings

import boto3
import yaml
from samtranslator.parser.parser import Parser
from samtranslator.policy_template_processor.processor import PolicyTemplatesProcessor
from samtranslator.translator.translator import Translator
from samtranslator.utils.py27hash_fix import to_py27_compatible_template, undo_mark_unicode_str_in_template
from samtranslator.yaml_helper import intrinsics_multi_constructor

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

PARAMETERS = {"param1": "value1", "param2": "value2", "AWS::Region": "ap-southeast-1", "AWS::Partition": "aws"}

# Without one, the translator makes one for each template, which takes longer than all else.
SESSION = boto3.Session(region_name="ap-southeast-1")


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """PyYAML's fastest, with the tags of CloudFormation."""


Loader.add_multi_constructor("!", intrinsics_multi_constructor)


def transform(template):
    """As samtranslator.translator.transform.transform does it, with the session."""
    parameters = dict(PARAMETERS)
    to_py27_compatible_template(template, parameters)
    made = Translator(None, Parser(), boto_session=SESSION).translate(
        template, parameter_values=parameters, get_managed_policy_map=dict
    )
    return undo_mark_unicode_str_in_template(made)


def parse(text):
    return yaml.load(text, Loader)


def parse_and_transform(text):
    # Through JSON, as the templates of its own tests go: keys are strings then.
    return transform(json.loads(json.dumps(parse(text))))


def all_of_it(text):
    return json.dumps(parse_and_transform(text))


def measure(rounds, texts, step):
    best = float("inf")
    for _ in range(rounds):
        begin = time.process_time_ns()
        for text in texts:
            step(text)
        best = min(best, (time.process_time_ns() - begin) / 1000 / len(texts))
    return best


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def main():
    if sys.argv[1] == "one":
        print(json.dumps(parse_and_transform(read(sys.argv[2])), indent=2))
        return
    rounds, texts = int(sys.argv[2]), [read(path) for path in sys.argv[3:]]
    found = {"Checked": measure(rounds, texts, all_of_it)}
    # For each template the translator holds its own policy templates against their schema.
    PolicyTemplatesProcessor._is_valid_templates_dict = staticmethod(lambda *_: True)
    found["Parse"] = measure(rounds, texts, parse)
    found["Transform"] = measure(rounds, texts, parse_and_transform)
    found["All"] = measure(rounds, texts, all_of_it)
    print(json.dumps(found))


main()
