"""Days in a zone: every day of the calendar has bounds, and they meet."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reuseid.times import FIRST, LAST, begins, ends, in_range, parse_day, zone_named

ZONES = st.sampled_from(["UTC", "Pacific/Auckland", "Pacific/Apia", "Pacific/Pago_Pago", "Europe/Helsinki"])


@given(st.dates(), ZONES)
def test_every_day_has_bounds_in_order_and_the_next_begins_where_it_ends(day, name):
    zone = zone_named(name)
    assert FIRST <= begins(day, zone) <= ends(day, zone) <= LAST
    if day < date.max:
        assert ends(day, zone) == begins(day + timedelta(days=1), zone)


def test_the_ends_of_the_calendar():
    assert begins(date.min, ZoneInfo("Pacific/Auckland")) == FIRST
    assert ends(date.max, UTC) == ends(date.max, ZoneInfo("Pacific/Pago_Pago")) == LAST
    assert in_range(datetime(1, 1, 1, tzinfo=ZoneInfo("Pacific/Auckland"))) == FIRST
    assert in_range(datetime(9999, 12, 31, 23, tzinfo=ZoneInfo("Pacific/Pago_Pago"))) == LAST
    assert begins(date(2026, 3, 10), ZoneInfo("Pacific/Auckland")) == datetime(2026, 3, 9, 11, tzinfo=UTC)


@pytest.mark.parametrize("text", ["20260310", "2026-W10-2", "10.3.2026", "2026-3-10", "２026-03-10", "2026-02-30", ""])
def test_a_day_is_written_one_way(text):
    with pytest.raises(ValueError, match=r".*"):
        parse_day(text)


@pytest.mark.parametrize("name", ["", "Etc/Unknown", "../../etc/passwd", "UTC\0"])
def test_a_zone_is_one_that_is_known(name):
    assert zone_named(name) is None
