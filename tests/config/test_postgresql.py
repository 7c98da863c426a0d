"""Connections to PostgreSQL that last: checked without a round trip, waited for while the server restarts."""

import socket
from datetime import UTC, datetime

import pytest
from django.db import DataError, OperationalError, connection

from config.postgresql import base

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def own():
    """A second connection of this thread, as a lasting thread has one."""
    own = connection.copy("own")
    own.ensure_connection()
    yield own
    own.close()


def pid(of):
    with of.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def end(session):
    """Ends the session, and waits until it is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 30000)", [session])


def nobody():
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return closed.getsockname()[1]


def test_a_session_that_is_there_is_usable_and_hears_nothing_of_the_question(own):
    with connection.cursor() as cursor:
        asked = "SELECT query_start FROM pg_stat_activity WHERE pid = %s"
        cursor.execute(asked, [pid(own)])
        before = cursor.fetchone()
        assert all(own.is_usable() for _ in range(3))
        cursor.execute(asked, [own.connection.info.backend_pid])
        assert cursor.fetchone() == before


def test_one_that_the_server_ended_is_not_usable_and_is_replaced_in_the_next_request(own):
    before = pid(own)
    end(before)
    assert not own.is_usable()
    own.close_if_unusable_or_obsolete()
    assert pid(own) != before


def test_one_in_a_failed_transaction_is_not_usable(own):
    own.set_autocommit(False)
    with pytest.raises(Exception, match="division by zero"), own.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    assert not own.is_usable()


def test_a_server_that_was_there_is_waited_for(own, monkeypatch, tmp_path):
    """It is somewhere else for the first attempts: the driver reads where at each."""
    place, naps = own.get_connection_params(), []
    host, port, file = place.pop("host", "127.0.0.1"), place.pop("port", 5432), tmp_path / "services"
    monkeypatch.setenv("PGSERVICEFILE", str(file))

    def stands_at(port):
        file.write_text(f"[database]\nhost={host}\nport={port}\n")

    def come_back(seconds):
        naps.append(seconds)
        if len(naps) == 2:
            stands_at(port)

    monkeypatch.setattr(base.time, "sleep", come_back)
    stands_at(nobody())
    own.get_new_connection({**place, "service": "database"}).close()
    assert len(naps) == 2


def test_a_server_that_was_never_there_is_not_waited_for(own, monkeypatch):
    monkeypatch.setattr(base.DatabaseWrapper, "_reached", False)
    own.close()
    own.settings_dict = {**own.settings_dict, "HOST": "127.0.0.1", "PORT": nobody()}
    with pytest.raises(OperationalError):
        own.ensure_connection()


@pytest.mark.parametrize(
    "text",
    ["2026-03-29 01:30:00.000001+00", "2026-03-29 01:30:00+00", "0001-01-01 00:00:00+00", "9999-12-31 23:59:59.9+00"],
)
def test_an_instant_is_read_to_the_microsecond_in_utc(own, text):
    with own.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [text])
        read = cursor.fetchone()[0]
    assert read == datetime.fromisoformat(text)
    assert read.tzinfo is UTC


def test_an_instant_that_no_datetime_can_hold_is_refused(own):
    with own.cursor() as cursor:
        cursor.execute("SELECT 'infinity'::timestamptz")
        with pytest.raises(DataError):
            cursor.fetchone()
