"""Changes generated values that the document allows and the API rejects. See tests/README.md, "Schemathesis"."""

import itertools
import re

import schemathesis

ANY_KEY = re.compile(r"^[!-~]{1,255}$")
KEYS = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    headers, query = case.headers or {}, case.query or {}
    # schemathesis generates few keys. A request with the key of another request is refused or receives its response.
    if ANY_KEY.match(str(headers.get("Idempotency-Key", ""))):
        headers["Idempotency-Key"] = f"key-{next(KEYS)}"
    # A cursor is opaque: the document does not describe which texts are cursors of a list.
    if is_generated_cursor(query):
        del query["after"]
    if isinstance(case.body, dict) and is_generated_cursor(case.body):
        del case.body["after"]


def is_generated_cursor(values):
    after = values.get("after")
    return isinstance(after, str) and re.match(r"^[A-Za-z0-9_-]{1,1024}$", after) is not None
