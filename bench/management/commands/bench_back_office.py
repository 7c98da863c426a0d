"""``manage.py bench_back_office``: how long the back office's lists and pages take, in a database of any size."""

import statistics
import time

from django.conf import settings
from django.contrib.admin import site
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mobileid.models import Device, Operation
from reuseid.models import User


class Command(BaseCommand):
    """Figures for docs/operating.md. Whole requests in this process, without the network."""

    help = "Time the back office's lists and pages as a superuser sees them."

    def add_arguments(self, parser):
        """See --help."""
        parser.add_argument("name", help="The sign-in name of a superuser; needs SECOND_FACTOR=offered.")
        parser.add_argument("--rounds", type=int, default=20, help="Calls of each page (20).")
        parser.add_argument("--only", default="", help="Pages whose label begins so; all unless given.")

    def handle(self, *args, name, rounds, only, **options):
        """A line a page: median, 95th percentile, the work of this process alone, SQL statements."""
        staff = get_user_model().objects.filter(username=name, is_superuser=True).first()
        if staff is None:
            raise CommandError(f"There is no superuser {name}: `manage.py createsuperuser` makes one.")
        if rounds < 2:
            raise CommandError("--rounds: 2 at least.")
        settings.ALLOWED_HOSTS = ["testserver"]
        browser = Client()
        browser.force_login(staff)
        for label, address in _pages():
            if not label.startswith(only):
                continue
            times, work, statements = _measure(browser, address, rounds)
            p95, cpu = statistics.quantiles(times, n=20)[-1], statistics.median(work)
            self.stdout.write(
                f"{statistics.median(times):6.0f} ms  p95 {p95:6.0f} ms  CPU {cpu:6.0f} ms  {statements:3} SQL  {label}"
            )
            self.stdout.flush()
        browser.logout()


def _pages():
    """What support opens all day: the first page, lists, filtered and searched lists, a person."""
    yield "first page", reverse("admin:index")
    yield "first page: 30 days", f"{reverse('admin:index')}?period=30d"
    for model in site._registry:
        yield str(model._meta.verbose_name_plural), _list(model)
    user = User.objects.order_by("-created_at").first()
    if user is None:
        return
    yield "users: locked", f"{_list(User)}?status=LOCKED"
    if user.client_id:
        yield "users: of a client", f"{_list(User)}?client={user.client_id}"
        yield "users: of a client, locked", f"{_list(User)}?client={user.client_id}&status=LOCKED"
        yield "operations: of a client", f"{_list(Operation)}?client={user.client_id}"
    yield "users: by reference", f"{_list(User)}?q={user.external_ref or user.pk}"
    yield "users: page 100", f"{_list(User)}?p=100"
    yield "devices: locked", f"{_list(Device)}?status=LOCKED"
    yield "operations: expired", f"{_list(Operation)}?status=EXPIRED"
    page = reverse("admin:reuseid_user_change", args=[user.pk])
    for tab in site._registry[User].get_tabs():
        yield f"a person: {tab.slug}", f"{page}?tab={tab.slug}"
    for model in (Device, Operation):
        if row := model.objects.order_by("-created_at").first():
            yield f"one {model._meta.verbose_name}", reverse(admin_urlname(model._meta, "change"), args=[row.pk])


def _list(model):
    return reverse(admin_urlname(model._meta, "changelist"))


def _measure(browser, address, rounds):
    browser.get(address)  # What only a first look does is none of the figures.
    with CaptureQueriesContext(connection) as seen:
        answer = browser.get(address)
    statements = len(seen)  # At once: the next request empties the connection's log.
    if answer.status_code != 200:
        raise CommandError(f"{address} answers {answer.status_code}.")
    times, work = [], []
    for _ in range(rounds):
        started, worked = time.perf_counter(), time.process_time()
        browser.get(address)
        times.append((time.perf_counter() - started) * 1000)
        work.append((time.process_time() - worked) * 1000)
    return times, work, statements
