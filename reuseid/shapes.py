"""Words for the types of answers and events: TypedDicts, from whose `Annotated` members the OpenAPI document is made.

Among a member's marks, a text says what it is, a class, a pattern or a tuple which form or which words its value has;
how they become a schema says `reuseid.api.openapi.shapes`.
"""

import uuid
from datetime import datetime
from typing import Annotated

Id = Annotated[str, uuid.UUID]
Time = Annotated[str, datetime]
Natural = Annotated[int, range]
AT = "RFC 3339, UTC, milliseconds."
