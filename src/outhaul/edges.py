"""What the API and the console stand on, put together from what an owner of data runs."""

from dataclasses import asdict
from functools import partial

from outhaul.api.create_body import asked_of
from outhaul.api.data_explorer_body import report_asked_of
from outhaul.api.report_body import read_report
from outhaul.api.services import Services
from outhaul.catalog.past_runs import PastRuns
from outhaul.catalog.rates import Rates
from outhaul.catalog.reports import Reports
from outhaul.catalog.shared_rates import SharedRates
from outhaul.catalog.slices import Slices
from outhaul.catalog.tally import Tallies
from outhaul.console.services import ConsoleServices
from outhaul.exports.browse import Browse
from outhaul.exports.descriptions import Descriptions
from outhaul.exports.estimates import Estimates
from outhaul.exports.overview import Overview
from outhaul.exports.usage import Usage
from outhaul.exports.volumes import Volumes
from outhaul.ingest.bulk import Bulk
from outhaul.ingest.contact_service import Contacts
from outhaul.ingest.event_service import CustomEvents
from outhaul.ingest.field_service import Fields
from outhaul.ingest.import_service import Uploads
from outhaul.ingest.intake import Intake
from outhaul.ingest.purchase_service import Purchases
from outhaul.ingest.segment_service import Segments
from outhaul.store.browsing import Browsing
from outhaul.store.contact_reads import ContactReads
from outhaul.store.counts import Counts
from outhaul.store.field_definitions import FieldDefinitions
from outhaul.store.single_activities import PurchaseReads
from outhaul.wiring import Outhaul


class Edges:
    """The use cases of one owner, as the API (`services`) and the `console` call them."""

    def __init__(self, outhaul: Outhaul) -> None:
        registry, settings, commits = outhaul.registry, outhaul.settings, outhaul.commits
        database, engine, node = registry.database, outhaul.engine, outhaul.node
        definitions = FieldDefinitions(engine, outhaul.fields)
        intake = _intake(outhaul, definitions)
        limit, reports = settings.rate_limit, Reports(database)
        describe = Descriptions(commits, outhaul.fields_anywhere).describe
        estimate = Estimates(outhaul.pipeline, outhaul.reader, PastRuns(database)).estimate
        self.services = Services(
            exports=outhaul.exports,
            keys=registry.keys,
            reports=reports,
            audit=registry.audit,
            rates=SharedRates(database, limit=limit) if database.shared else Rates(limit=limit),
            describe=describe,
            estimate=estimate,
            newest_commit=lambda account_id: commits.snapshot(account_id).number,
            health=outhaul.health,
            worker_alive=outhaul.worker.alive,
            public_url=settings.public_url,
            metrics=None if settings.metrics_address else outhaul.metrics,
            admit=node.admit,
            intake=intake,
        )
        self.console = ConsoleServices(
            keys=registry.keys,
            signing_keys=outhaul.link_keys.ring,
            exports=outhaul.exports,
            overview=Overview(outhaul.listed, Slices(database)),
            audit=registry.audit,
            usage=Usage(Tallies(database)),
            health=lambda: asdict(outhaul.health()),
            browse=Browse(Browsing(engine), definitions),
            volumes=Volumes(commits, Counts(engine)),
            read_request=partial(asked_of, self.services),
            reports=reports,
            read_report=read_report,
            read_report_request=partial(report_asked_of, reports),
            describe=describe,
            estimate=estimate,
            intake=intake,
            worker_alive=outhaul.worker.alive,
            public_url=settings.public_url,
            session_minutes=settings.session_minutes,
            admit=node.admit,
        )


def _intake(outhaul: Outhaul, definitions: FieldDefinitions) -> Intake:
    commits, engine = outhaul.commits, outhaul.engine
    contact_reads = ContactReads(engine)
    return Intake(
        contacts=Contacts(commits, contact_reads, definitions, outhaul.eraser),
        fields=Fields(commits, definitions),
        bulk=Bulk(engine, commits, scratch=outhaul.scratch),
        purchases=Purchases(commits, contact_reads, PurchaseReads(engine)),
        events=CustomEvents(commits),
        segments=Segments(commits, outhaul.segment_reads),
        uploads=Uploads(
            outhaul.imports,
            outhaul.link_keys,
            folder=outhaul.registry.data / "uploads",
            link_s=outhaul.settings.link_minutes * 60,
            wake=outhaul.bell.ring,
            admit=outhaul.node.admit,
        ),
    )
