from tests.journeys.conftest import migrated, own_database

__all__ = ["migrated", "own_database"]
