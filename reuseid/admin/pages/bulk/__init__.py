from reuseid.admin.pages.bulk import page  # noqa: F401
