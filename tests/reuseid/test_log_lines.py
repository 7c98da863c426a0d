"""What stands in the log when a database refuses: that it did and where, never a value of the row."""

import io
import logging

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from reuseid.models import User
from reuseid.tracing import LineFormatter

CHAIN = (
    "\n\nThe above exception was the direct cause of the following exception:\n\nTraceback (most recent call last)\n"
)
# Not a literal where it fails: tracebacks show the lines of the source.
SECRET = "Jane-Secret"


def lines_of(log_it):
    """The text of a handler with the service's formatter."""
    stream, log = io.StringIO(), logging.Logger("test")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter("%(levelname)s %(message)s"))
    log.addHandler(handler)
    log_it(log)
    return stream.getvalue()


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_refused_row_is_not_quoted(account):
    User.objects.create(account=account, external_ref=SECRET)
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        User.objects.create(account=account, external_ref=SECRET)
    assert SECRET in str(refused.value)
    told = lines_of(lambda log: log.error("Task raised: %r", refused.value, exc_info=refused.value))
    assert "IntegrityError" in told
    assert "Traceback" in told
    assert told.count("duplicate key") >= 2
    assert SECRET not in told


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_row_that_fails_a_check_is_not_quoted():
    with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO reuseid_user (segment) VALUES (%s)", [f"one\n{SECRET}"])
    assert SECRET in str(refused.value)
    assert SECRET not in lines_of(lambda log: log.error("Refused.", exc_info=refused.value))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])).filter(lambda text: "\n\nThe above" not in text))
def test_no_detail_of_any_length_is_kept_and_the_rest_is(value):
    message = f"it failed\nDETAIL:  Failing row contains ({value}·end·)."
    told = lines_of(lambda log: log.error("%s", f"{message}{CHAIN}  File x"))
    if "\nTraceback " not in value:
        assert "·end·" not in told
    assert told.startswith("ERROR it failed\n\nThe above exception")
    assert "File x" in told
    plain = f"two lines\n{value}"
    if not any(word in plain for word in ("DETAIL:", "CONTEXT:", "QUERY:")):
        assert lines_of(lambda log: log.error("%s", plain)) == f"ERROR {plain}\n"
