"""What reuseid tells. Receivers run in the sender's transaction; one that fails undoes the change.

Each is sent with ``user``, ``actor`` and ``reason``.
"""

from django.dispatch import Signal

user_locked = Signal()
user_unlocked = Signal()
user_deactivated = Signal()
user_erased = Signal()
