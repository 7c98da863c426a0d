from reuseid.admin.pages.endpoints import page  # noqa: F401
