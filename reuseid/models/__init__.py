from reuseid.models.access import Reveal, SavedView, UserAccess, UserNote
from reuseid.models.accounts import Account, Staff
from reuseid.models.approvals import ApprovalRequest
from reuseid.models.attributes import Attribute, AttributeKey, AttributeVersion
from reuseid.models.bulk import BulkRow, BulkRun
from reuseid.models.clients import Client
from reuseid.models.counts import DeliveryCount, EventCount
from reuseid.models.deliveries import Delivery, DeliveryAttempt, WebhookEndpoint
from reuseid.models.events import Event
from reuseid.models.exports import Export, ExportPart
from reuseid.models.idempotency import IdempotencyKey
from reuseid.models.kinds import kind_of
from reuseid.models.monitoring import Heartbeat, StaffNotice
from reuseid.models.proofings import AssuranceLevel, Proofing
from reuseid.models.sign_ins import Passkey, RecoveryCode, SecondFactor, StaffSignIn
from reuseid.models.trail import TrailEntry, TrailKey, TrailSeal
from reuseid.models.transitions import move
from reuseid.models.users import User

__all__ = [
    "Account",
    "ApprovalRequest",
    "AssuranceLevel",
    "Attribute",
    "AttributeKey",
    "AttributeVersion",
    "BulkRow",
    "BulkRun",
    "Client",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryCount",
    "Event",
    "EventCount",
    "Export",
    "ExportPart",
    "Heartbeat",
    "IdempotencyKey",
    "Passkey",
    "Proofing",
    "RecoveryCode",
    "Reveal",
    "SavedView",
    "SecondFactor",
    "Staff",
    "StaffNotice",
    "StaffSignIn",
    "TrailEntry",
    "TrailKey",
    "TrailSeal",
    "User",
    "UserAccess",
    "UserNote",
    "WebhookEndpoint",
    "kind_of",
    "move",
]
