"""The frame of the Python programs: steps that run one after the other, and print a line each."""

import os
import sys

# The domain of all contacts that the programs create. It is reserved for examples.
DOMAIN = "clients.example.org"
# More than two pages of HubSpot's largest size.
MANY = 250
PAGE = 100


class Checks:
    """The steps of a program, and the number that failed."""

    def __init__(self):
        self.failed = 0

    def step(self, name):
        """Returns a decorator that runs a function at once and prints its name with the result."""

        def run(function):
            try:
                function()
                result = "ok"
            except Exception as error:
                self.failed += 1
                result = f"failed: {describe(error)}"
            print(f"{name}\t{result}", flush=True)
            return function

        return run

    def finish(self):
        """Ends the program, with the exit code 0 only if every step was as expected."""
        sys.exit(1 if self.failed else 0)


def describe(error):
    """Returns one line about an error: its text, and the line of the program in which it arose."""
    trace, line = error.__traceback__, 0
    while trace:
        if trace.tb_frame.f_code.co_filename == os.path.abspath(sys.argv[0]):
            line = trace.tb_lineno
        trace = trace.tb_next
    # A client's error repeats its headers. The body alone says why.
    reason = getattr(error, "body", None) or error
    text = " ".join(f"{type(error).__name__}: {reason}".split()).replace(os.environ["TOKEN"], "…")
    return f"line {line}: {text[:400]}"


def equal(actual, expected):
    """Asserts that two values are equal, and shows both if they are not."""
    assert actual == expected, f"{actual!r} instead of {expected!r}"


def decimal(text):
    """Asserts that a text is an id as programs expect one: a decimal number that fits into a double."""
    assert isinstance(text, str) and text.isdecimal() and 0 < int(text) < 2**53, f"{text!r} is no id"


def chunks(items, size):
    """Returns the items in lists of at most this size."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def refused(call, kind, status):
    """Calls a function, asserts that it raises an error of this class and status, and returns the error."""
    try:
        result = call()
    except kind as error:
        code = getattr(error, "status", None) or getattr(error, "status_code", None)
        equal(code, status)
        return error
    raise AssertionError(f"accepted, with {str(result)[:200]!r}")
