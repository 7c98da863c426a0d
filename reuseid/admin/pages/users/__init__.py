from reuseid.admin.pages.users import caller_verification, notes, page  # noqa: F401
