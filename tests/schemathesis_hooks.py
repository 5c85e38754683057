"""What schemathesis can't know of values that the OpenAPI document allows. See tests/README.md, "Schemathesis"."""

import itertools
import re

import schemathesis

ANY_KEY = re.compile(r"^[!-~]{1,255}$")
KEYS = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    headers, query = case.headers or {}, case.query or {}
    # Few keys are drawn. A request with the key of another one is refused, or answered as that one was.
    if ANY_KEY.match(str(headers.get("Idempotency-Key", ""))):
        headers["Idempotency-Key"] = f"key-{next(KEYS)}"
    # A cursor is opaque: the document does not say which texts are cursors of which list.
    if is_drawn_cursor(query):
        del query["after"]
    if isinstance(case.body, dict) and is_drawn_cursor(case.body):
        del case.body["after"]


def is_drawn_cursor(values):
    after = values.get("after")
    return isinstance(after, str) and re.match(r"^[A-Za-z0-9_-]{1,1024}$", after) is not None
