"""Commands beside a demo speak of the port that it has."""

from config.demo import beside
from tests.config.test_settings import load  # noqa: F401 - a fixture


def test_the_port_of_a_demo_is_known_while_it_runs(tmp_path):
    assert beside.port_of(tmp_path) is None
    with beside.told(tmp_path, 8123):
        assert beside.port_of(tmp_path) == 8123
        with beside.told(tmp_path, 8124):
            assert beside.port_of(tmp_path) == 8123
    assert beside.port_of(tmp_path) is None
    assert (tmp_path / beside.NAME).exists()


def test_what_is_said_outright_counts_more(load, tmp_path):  # noqa: F811
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    with beside.told(state, 8123):
        assert load()["PUBLIC_URL"] == "http://127.0.0.1:8123"
        assert load(PORT="8200")["PUBLIC_URL"] == "http://127.0.0.1:8200"
    assert load()["PUBLIC_URL"] == "http://127.0.0.1:8000"
