"""The five roles of the back office and what each may do: one table, written to the database after every migration.

The table is the truth: rights given to one of these groups by hand are taken back. Groups of other names are the
operator's own and stay as they are. A superuser may do everything in every account; keep one for emergencies.
"""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions

ROLES = {
    "Support": "Answers the phone: finds a person, sees why they can't sign in, locks and unlocks.",
    "Senior support": "Support, and what can't be undone: two of them deactivate or erase a person, one a phone; "
    "acts on many at once, sends callbacks again.",
    "Auditor": "Sees everything of its accounts, changes nothing.",
    "Integration": "Connects the account's systems: API clients, attribute catalogue, applications, callbacks. "
    "Sees no people.",
    "Administrator": "Runs the house: accounts, colleagues, and all that Integration may. Sees no people.",
}

# One line a right, one column a role, in the order of ROLES: Support, Senior, Auditor, Integration, Administrator.
TABLE = {
    # People
    "reuseid.view_user": "S N A - -",
    "reuseid.lock_user": "S N - - -",
    "reuseid.unlock_user": "S N - - -",
    # To ask for; a second colleague decides.
    "reuseid.deactivate_user": "- N - - -",
    "reuseid.erase_user": "- N - - -",
    "reuseid.view_approvalrequest": "S N A - -",
    "reuseid.decide_approvalrequest": "- N - - -",
    "reuseid.bulk_user": "- N - - -",
    "reuseid.view_bulkrun": "- N A - -",
    "reuseid.view_bulkrow": "- N A - -",
    "reuseid.export_user": "- N A - -",
    "reuseid.export_sensitive": "- N - - -",
    "reuseid.view_export": "- N A - -",
    "reuseid.view_exportpart": "- N A - -",
    "reuseid.view_attribute": "S N A - -",
    "reuseid.view_attributeversion": "- N A - -",
    "reuseid.reveal_attribute": "- N - - -",
    "reuseid.view_proofing": "S N A - -",
    "reuseid.reveal_proofing": "- N - - -",
    "reuseid.verify_caller": "S N - - -",
    "reuseid.view_usernote": "S N A - -",
    "reuseid.add_usernote": "S N - - -",
    "reuseid.view_useraccess": "- N A - -",
    "reuseid.view_reveal": "- N A - -",
    # Phones
    "mobileid.view_device": "S N A - -",
    "mobileid.lock_device": "S N - - -",
    "mobileid.unlock_device": "S N - - -",
    "mobileid.deactivate_device": "- N - - -",
    "mobileid.bulk_device": "- N - - -",
    "mobileid.view_operation": "S N A - -",
    "mobileid.reveal_operation": "- N - - -",
    "mobileid.cancel_operation": "S N - - -",
    "mobileid.start_registration": "S N - - -",
    "mobileid.view_evidence": "- N A - -",
    # Callbacks
    "reuseid.view_event": "S N A I M",
    "reuseid.view_delivery": "S N A I M",
    "reuseid.view_deliveryattempt": "S N A I M",
    "reuseid.resend_delivery": "- N - I M",
    "reuseid.view_webhookendpoint": "S N A I M",
    "reuseid.pause_webhookendpoint": "- - - I M",
    "reuseid.add_webhookendpoint": "- - - I M",
    "reuseid.change_webhookendpoint": "- - - I M",
    "reuseid.rotate_webhookendpoint": "- - - I M",
    "reuseid.delete_webhookendpoint": "- - - I M",
    # Set-up
    "reuseid.view_account": "- - A I M",
    "reuseid.add_account": "- - - - M",
    "reuseid.change_account": "- - - - M",
    "reuseid.block_account": "- - - - M",
    "reuseid.view_client": "- - A I M",
    "reuseid.add_client": "- - - I M",
    "reuseid.change_client": "- - - I M",
    "reuseid.rotate_client": "- - - I M",
    "reuseid.block_client": "- - - I M",
    "reuseid.view_attributekey": "S N A I M",
    "reuseid.add_attributekey": "- - - I M",
    "reuseid.change_attributekey": "- - - I M",
    "mobileid.view_application": "S N A I M",
    "mobileid.add_application": "- - - I M",
    "mobileid.change_application": "- - - I M",
    "mobileid.try_operation": "- - - I M",
    "mobileid.view_trustanchor": "- - A I M",
    "mobileid.change_trustanchor": "- - - - M",
    "mobileid.view_signingkey": "- - A I M",
    "mobileid.view_channelkey": "- - A I M",
    # House
    "reuseid.view_trailentry": "S N A - M",
    "reuseid.export_trailentry": "- - A - -",
    "reuseid.view_trailseal": "- - A - M",
    "reuseid.view_trailkey": "- - A - M",
    "reuseid.view_staff": "- - A - M",
    "reuseid.add_staff": "- - - - M",
    "reuseid.change_staff": "- - - - M",
    "reuseid.view_staffsignin": "- - A - M",
    "reuseid.view_secondfactor": "- - A - M",
    "reuseid.view_passkey": "- - A - M",
    "reuseid.view_recoverycode": "- - A - M",
    "auth.view_group": "- - A - M",
    "reuseid.view_staffnotice": "S N A I M",
    "reuseid.view_savedview": "S N A I M",
    "reuseid.mark_staffnotice": "S N - I M",
    "reuseid.view_eventcount": "S N A I M",
    "reuseid.view_deliverycount": "S N A I M",
    "reuseid.view_heartbeat": "- - A I M",
    "reuseid.view_idempotencykey": "- - A I M",
    "mobileid.view_nonce": "- - A - M",
    "mobileid.view_storedresponse": "- - A - M",
}


def rights_of(role: str) -> set[str]:
    """The rights of a role, as ``app.codename``."""
    column = list(ROLES).index(role)
    return {right for right, marks in TABLE.items() if marks.split()[column] != "-"}


def write_roles(sender, using, apps=installed, **kwargs):
    """After a migration: the groups are there and have the rights of TABLE that exist so far.

    It runs before Django's own receiver, so it first makes the permissions of the app that was just migrated.
    """
    if sender.label not in {right.partition(".")[0] for right in TABLE}:
        return
    create_permissions(sender, verbosity=0, interactive=False, using=using, apps=apps)
    try:
        group_model, permission_model = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    except LookupError:
        return
    known = {
        f"{app}.{code}": pk
        for pk, app, code in permission_model.objects.using(using).values_list(
            "pk", "content_type__app_label", "codename"
        )
    }
    for role in ROLES:
        group, _ = group_model.objects.using(using).get_or_create(name=role)
        group.permissions.set([known[right] for right in rights_of(role) if right in known])
