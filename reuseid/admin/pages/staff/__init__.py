from reuseid.admin.pages.staff import page  # noqa: F401
