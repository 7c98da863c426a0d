"""What schemathesis is told beside the document: the refusals that no schema can say, each with its reason."""

import re
import uuid

import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.specs.openapi.checks import positive_data_acceptance

# A regular expression for `member: reason` or `code detail`, and why no schema says it.
BY_MEANING = {
    r"^precondition_failed ": "If-Match names a version that is not, or is no longer, the present one.",
    r"proofingId: Not an active proofing": "An id may be well formed and of nobody.",
    r"^applicationId: (There is no such application|Say which)": "Likewise; and the account may have several.",
    r"^deviceId: It is another user's": "Likewise.",
    r"^code_wrong ": "The code that the phone shows, or brought back, is another one.",
    r"^attribute: The attribute \w+ is not searchable": "The account's catalogue says so.",
    r"^until: Must be in the future": "What the future is, the clock says.",
    r"^performedAt: Must not be in the future": "Likewise.",
    r"(until|At|since|After|Before): Must be an RFC 3339 time": "A day that UTC has not: the first or last, elsewhere.",
    r"currency: is not an ISO 4217 code": "The list grows and shrinks.",
    r"amount: has more than the \d decimals": "The currency's minor units.",
    r"creditorAccount: (is not a valid IBAN|must be 1 to 34)": "Its checksum; its length without blanks.",
    r"^url: The host's address is private": "Which numbers are private, and where a name leads.",
    r"[uU]rl: (It is not|Not) a URL": "A port beyond 65535.",
    r"content: is not strict JSON": "A text that is itself JSON.",
    r"content: has a \w+( \w+)? character": "A character reference in Markdown, an escape in JSON.",
    r"(content|contentBase64|^value|^attributes\.[^:]+): At most \d+ bytes": "Bytes are counted, not characters.",
    r": has a formatting character \(U\+[0-9A-F]{5}\)": "Not every reader of a pattern counts those as one.",
    r"^invalid_json (The character NUL|More than 16 levels)": "JSON in attributes, at any depth.",
}


@schemathesis.check
def accepted_or_refused_by_meaning(ctx, response, case):
    """What the schema allows is accepted, or refused for one of the reasons above."""
    try:
        return positive_data_acceptance(ctx, response, case)
    except RejectedPositiveData:
        if refused_by_meaning(response.json()):
            return None
        raise


def refused_by_meaning(problem):
    """Whether every member that was refused has its reason above; where none is named, the problem itself."""
    said = [f"{param['name']}: {param['reason']}" for param in problem.get("invalidParams", [])]
    if not said or problem["code"] != "invalid_parameter":
        said = [f"{problem['code']} {problem.get('detail', '')}"]
    return all(any(re.search(reason, text) for reason in BY_MEANING) for text in said)


@schemathesis.hook
def before_call(context, case, kwargs):
    """A key is for one call, and the tester has few; nor has it half a minute for each operation that stays open."""
    if case.meta and not case.meta.generation.mode.is_positive:
        return
    if "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    if "wait" in (case.query or {}):
        case.query["wait"] = 1
