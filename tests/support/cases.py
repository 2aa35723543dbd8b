"""Counts what passed, and prints each case in a line."""
import sys

from waiting import Failure


class Cases:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, condition, figure=""):
        self.passed += bool(condition)
        self.failed += not condition
        print(f"{'ok  ' if condition else 'FAIL'}  {name}{'  ' if figure != '' else ''}{figure}", flush=True)
        return condition

    def skip(self, name, why):
        self.skipped += 1
        print(f"SKIP  {name}: {why}", flush=True)

    def end(self):
        """Prints the sum and exits; a program that looked at nothing has failed."""
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        sys.exit(1 if self.failed or not self.passed + self.skipped else 0)


def run(cases, body):
    """Runs a test's body; a Failure is one failed case, with its words."""
    try:
        body(cases)
    except Failure as e:
        cases.check(str(e), False)
    cases.end()
