"""Statements that are compiled once a process and run prepared (docs/decisions/0039-prepared-statements.md).

A queryset is written as ever, with a `Param` where a call's value goes. Its first run turns it into SQL; every later
one binds values, executes, and builds instances as the queryset would. `Together` makes one statement of several where
the database can (PostgreSQL: data-modifying WITH), and runs them in turn where it can't (SQLite).

For calls that are made many times a second, and for those alone: everywhere else a queryset is shorter.
"""

from reuseid.prepared.parameters import Param, Text, Values
from reuseid.prepared.reading import Select
from reuseid.prepared.together import Together
from reuseid.prepared.writing import Insert, Update

__all__ = ["Insert", "Param", "Select", "Text", "Together", "Update", "Values"]
