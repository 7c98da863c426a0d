"""What has a deadline is in time or overdue by the database's clock alone, in a filter as in the guard of a `move`."""

from django.db.models.functions import Now

IN_TIME = {"expires_at__gt": Now()}
OVERDUE = {"expires_at__lte": Now()}
