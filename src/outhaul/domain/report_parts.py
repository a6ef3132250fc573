"""What reports are made of: dimensions that group activities, and metrics that add them up.

The ids are the headers of files. Those that the contract's sample names are spelt as there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from outhaul.domain.activity_types import ACTIVITY_FIELDS, ACTIVITY_TYPES, canonical
from outhaul.domain.columns import Column
from outhaul.domain.export import FieldType
from outhaul.domain.reports import Report

_DIGITS_OF_SUMS = 34


class TimePart(StrEnum):
    """What of the creation instant groups, on the clocks of the account's zone."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    DATE = "date"
    WEEKDAY = "weekday"
    HOUR = "hour"


class Measure(StrEnum):
    """How a metric comes about."""

    COUNT = "count"
    """The number of activities."""
    CONTACTS = "contacts"
    """The number of different contacts."""
    SUM = "sum"
    """The sum of a field, 0 without any value."""
    AVERAGE = "average"
    """The average of a money field, rounded to six decimals, halves away from zero; none without
    any value."""


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """Activities are grouped by a part of their creation instant, by their type or by a field."""

    id: str
    meaning: str
    type: FieldType = FieldType.TEXT
    time: TimePart | None = None
    field: str | None = None
    """Id of the activity field; neither `time` nor `field`: the activity's type."""
    types: frozenset[str] | None = None
    """Activities of other types have no value; None: every type that has the field."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number of a row."""

    id: str
    meaning: str
    measure: Measure = Measure.COUNT
    types: frozenset[str] | None = None
    """The activities that count; None: all of the report's."""
    field: str | None = None
    """The activity field that SUM and AVERAGE are of."""

    @property
    def type(self) -> FieldType:
        field = None if self.field is None else ACTIVITY_FIELDS[self.field]
        return FieldType.INTEGER if field is None else field.type


def _starting(prefix: str) -> frozenset[str]:
    return frozenset(type_ for type_ in ACTIVITY_TYPES if type_.startswith(prefix))


def _time(part: TimePart, meaning: str, type_: FieldType = FieldType.INTEGER) -> Dimension:
    return Dimension(id=part.value, time=part, type=type_, meaning=meaning)


def _content(id_: str, prefix: str, meaning: str) -> Dimension:
    return Dimension(id=id_, field="contentName", types=_starting(prefix), meaning=meaning)


_NAME_SOMEBODY = frozenset({"sentTo", "previousContactId"})
"""A report counts contacts and names none."""

DIMENSIONS: dict[str, Dimension] = {
    dimension.id: dimension
    for dimension in (
        _time(TimePart.YEAR, "the year, such as `2026`"),
        _time(TimePart.MONTH, "the month, 1 to 12"),
        _time(TimePart.DAY, "the day of the month, 1 to 31"),
        _time(TimePart.DATE, "the day, such as `2026-03-05`", FieldType.DATE),
        _time(TimePart.WEEKDAY, "the day of the week, 1 (Monday) to 7"),
        _time(TimePart.HOUR, "the hour of the day, 0 to 23"),
        Dimension(id="activityType", meaning="the type's id"),
        _content("emailName", "email-", "the content's name, of emails"),
        _content("smsName", "sms-", "the content's name, of text messages"),
        _content("pushName", "push-", "the content's name, of push notifications"),
        _content("webContentName", "web-content-", "the content's name, of web contents"),
        *(
            Dimension(id=field.id, field=field.id, meaning=f"the field {field.label_en}")
            for field in ACTIVITY_FIELDS.values()
            if field.type is FieldType.TEXT and field.id not in _NAME_SOMEBODY
        ),
    )
}
"""Every dimension by its id."""


def _count(id_: str, type_: str) -> Metric:
    return Metric(id=id_, types=frozenset({type_}), meaning=f"activities of the type `{type_}`")


_PURCHASE = frozenset({"purchase"})
_ABANDONED = frozenset({"cart-abandoned"})

METRICS: dict[str, Metric] = {
    metric.id: metric
    for metric in (
        Metric(id="numberOfActivities", meaning="activities of the report"),
        Metric(
            id="numberOfContacts",
            measure=Measure.CONTACTS,
            meaning="different contacts with an activity of the report",
        ),
        _count("numberOfPurchases", "purchase"),
        Metric(
            id="numberOfBuyers",
            measure=Measure.CONTACTS,
            types=_PURCHASE,
            meaning="different contacts with a purchase",
        ),
        Metric(
            id="totalPurchaseAmount",
            measure=Measure.SUM,
            types=_PURCHASE,
            field="totalPrice",
            meaning="the sum of the purchases' total prices",
        ),
        Metric(
            id="averagePurchaseAmount",
            measure=Measure.AVERAGE,
            types=_PURCHASE,
            field="totalPrice",
            meaning="the average total price of the purchases that have one",
        ),
        Metric(
            id="totalPurchaseQuantity",
            measure=Measure.SUM,
            types=_PURCHASE,
            field="totalQuantity",
            meaning="the sum of the purchases' total quantities",
        ),
        _count("numberOfCartsAbandoned", "cart-abandoned"),
        Metric(
            id="totalAbandonedAmount",
            measure=Measure.SUM,
            types=_ABANDONED,
            field="totalPrice",
            meaning="the sum of the abandoned carts' total prices",
        ),
        _count("numberOfEmailsSent", "email-sent"),
        _count("numberOfEmailsOpened", "email-opened"),
        _count("numberOfEmailLinksClicked", "email-link-clicked"),
        _count("numberOfEmailBounces", "email-bounce"),
        _count("numberOfEmailSpamReports", "email-spam-report"),
        _count("numberOfEmailUnsubscriptions", "email-unsubscribed"),
        _count("numberOfNewsletterSubscriptions", "newsletter-subscribe"),
        _count("numberOfSmsSent", "sms-sent"),
        _count("numberOfSmsBounces", "sms-bounce"),
        _count("numberOfPushSubscriptions", "push-notification-subscribed"),
        _count("numberOfPushUnsubscriptions", "push-notification-unsubscribed"),
        _count("numberOfPushNotificationsOpened", "push-notification-opened"),
        _count("numberOfPushLinksClicked", "push-notification-link-clicked"),
        _count("numberOfWebContentsOpened", "web-content-opened"),
        _count("numberOfWebContentsClicked", "web-content-clicked"),
        _count("numberOfPageVisits", "web-page-visited"),
        _count("numberOfProductVisits", "product-visited"),
        _count("numberOfSearches", "search"),
        _count("numberOfFormsSubmitted", "web-form-submitted"),
        _count("numberOfContactsCreated", "contact-created"),
        _count("numberOfCustomEvents", "custom-event"),
    )
}
"""Every metric by its id."""


def counted_types(report: Report) -> tuple[str, ...]:
    """The canonical types of the report's activities: those it names, else those that one of its
    metrics counts, else all."""
    if report.activity_types is not None:
        named = (canonical(spelling) for spelling in report.activity_types)
        return tuple(sorted({type_ for type_ in named if type_ is not None}))
    counted = [types for metric in report.metrics if (types := METRICS[metric].types) is not None]
    return tuple(sorted(frozenset().union(*counted) if counted else ACTIVITY_TYPES))


def report_columns(report: Report) -> tuple[Column, ...]:
    """The columns of the report's file: dimensions, then metrics, in its order."""
    return tuple(_columns(report))


def _columns(report: Report) -> Iterable[Column]:
    for dimension in (DIMENSIONS[id_] for id_ in report.dimensions):
        yield Column(
            id=dimension.id,
            label=dimension.id,
            type=dimension.type,
            source=dimension.id,
            as_cell=dimension.field is not None,
        )
    for metric in (METRICS[id_] for id_ in report.metrics):
        yield Column(
            id=metric.id,
            label=metric.id,
            type=metric.type,
            source=metric.id,
            digits=_DIGITS_OF_SUMS,
        )
