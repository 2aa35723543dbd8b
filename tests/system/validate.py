#!/usr/bin/python3
"""Checks JSON lines on stdin against packaging/siem/schemas: one schema per event.dataset.

usage: validate.py [--quiet] < events.jsonl

Takes what the file of JSON lines, the stream's field body and `askance read --json` hold. Prints the
first faults with their line and place, then how many of each kind were checked. Ends with 1 when a
document is wrong, or when there was none.
"""
import argparse
import collections
import json
import pathlib
import sqlite3
import sys
import threading

import jsonschema

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "siem" / "schemas"
FAULTS_SHOWN = 20


def load_schemas():
    schemas = {}
    for path in sorted(SCHEMAS.glob("*.schema.json")):
        schema = json.loads(path.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        schemas[path.name[: -len(".schema.json")]] = schema
    return schemas


def make_validators(schemas):
    store = {schema["$id"]: schema for schema in schemas.values()}
    validators = {}
    for name, schema in schemas.items():
        if name != "common":
            resolver = jsonschema.RefResolver(schema["$id"], schema, store=store)
            validators[name] = jsonschema.Draft202012Validator(schema, resolver=resolver)
    return validators


of_thread = threading.local()


def all_validators():
    """Each thread its own: a resolver of references remembers where it stands."""
    if not hasattr(of_thread, "validators"):
        of_thread.validators = make_validators(load_schemas())
    return of_thread.validators


def first_fault(documents, most=None):
    """What is wrong with the first document that is, else "". Of each action no more than `most` are checked, evenly chosen."""
    validators, of_action = all_validators(), collections.defaultdict(list)
    for document in documents:
        event = document.get("event") if isinstance(document, dict) else None
        of_action[str((event or {}).get("action"))].append(document)
    for action, some in of_action.items():
        for document in some[:: len(some) // most + 1 if most else 1]:
            _, faults = faults_of(document, validators)
            if faults:
                return f"{action}: {faults[0]}"
    return ""


def first_fault_of_store(path, most=200):
    """The same of what a sensor's store holds. A store that is not there or can't be read has none: what ails it is another's test."""
    try:
        store = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        documents = [json.loads(body) for body, in store.execute("SELECT body FROM outbox WHERE body IS NOT NULL")]
        store.close()
    except sqlite3.DatabaseError:
        return ""
    return first_fault(documents, most)


def faults_of(document, validators):
    dataset = str(document.get("event", {}).get("dataset", "")) if isinstance(document, dict) else ""
    name = dataset.removeprefix("askance.")
    if name not in validators:
        return name, [f"event.dataset {dataset!r} has no schema"]
    return name, describe(validators[name], document)


def describe(validator, document):
    return [
        f"{'.'.join(str(step) for step in error.absolute_path) or '(document)'}: {error.message[:300]}"
        for error in validator.iter_errors(document)
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quiet", action="store_true")
    options = parser.parse_args()
    validators = all_validators()
    checked, wrong = collections.Counter(), 0

    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            document = json.loads(line.decode("utf-8"))
        except ValueError as error:
            name, faults = "unreadable", [str(error)]
        else:
            name, faults = faults_of(document, validators)
        checked[name] += 1
        if faults:
            wrong += 1
            if wrong <= FAULTS_SHOWN:
                print(f"line {number} ({name}): {faults[0]}", file=sys.stderr)
    if not options.quiet:
        print(", ".join(f"{count} {name}" for name, count in sorted(checked.items())) or "no document", f"- {wrong} wrong")
    return 1 if wrong or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
