"""Everything that takes data in for callers of the API, as one value."""

from dataclasses import dataclass

from outhaul.ingest.bulk import Bulk
from outhaul.ingest.contact_service import Contacts
from outhaul.ingest.event_service import CustomEvents
from outhaul.ingest.field_service import Fields
from outhaul.ingest.import_service import Uploads
from outhaul.ingest.purchase_service import Purchases
from outhaul.ingest.segment_service import Segments


@dataclass(frozen=True, kw_only=True)
class Intake:
    """The use cases by what they take."""

    contacts: Contacts
    fields: Fields
    bulk: Bulk
    purchases: Purchases
    events: CustomEvents
    segments: Segments
    uploads: Uploads
