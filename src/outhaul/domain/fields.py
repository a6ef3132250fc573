"""The contact fields that every account has, in the order of the file (contract section 9)."""

from dataclasses import dataclass

from outhaul.domain.export import FieldType, Version


@dataclass(frozen=True, kw_only=True)
class ContactField:
    """A system field of contacts. The store's column is named exactly like the id."""

    id: str
    type: FieldType
    label_en: str
    label_es: str | None = None
    """None: no Spanish wording is documented, the English one stands in."""
    options: tuple[str, ...] = ()
    """The only values allowed; empty: any value of the type."""
    writable: bool = False
    """Whether the contacts API may set it (contract section 11)."""
    since: Version = Version.V1
    """The first version whose files have the column."""


_CHANNEL_STATES = ("active", "bounced", "paused")
_SUBSCRIPTION_STATES = ("subscribed", "unsubscribed", "none")

CONTACT_FIELDS: tuple[ContactField, ...] = (
    ContactField(id="id", type=FieldType.TEXT, label_en="Tracker", label_es="Tracker"),
    ContactField(
        id="_email", type=FieldType.EMAIL, label_en="Email", label_es="Email", writable=True
    ),
    ContactField(
        id="_externalId",
        type=FieldType.TEXT,
        label_en="External ID",
        writable=True,
        since=Version.V3,
    ),
    ContactField(
        id="_name", type=FieldType.TEXT, label_en="Name", label_es="Nombre", writable=True
    ),
    ContactField(
        id="_surname", type=FieldType.TEXT, label_en="Surname", label_es="Apellidos", writable=True
    ),
    ContactField(
        id="_birthdate",
        type=FieldType.DATE,
        label_en="Birthdate",
        label_es="Fecha de nacimiento",
        writable=True,
    ),
    ContactField(
        id="_mobilePhone",
        type=FieldType.PHONE,
        label_en="Mobile phone",
        label_es="Teléfono móvil",
        writable=True,
    ),
    ContactField(
        id="_mobilePhoneStatus",
        type=FieldType.RADIO,
        label_en="Mobile phone status",
        label_es="Estado de teléfono móvil",
        options=_CHANNEL_STATES,
        writable=True,
    ),
    ContactField(
        id="_smsSubscriptionStatus",
        type=FieldType.RADIO,
        label_en="SMS subscription status",
        label_es="Estado de suscripción SMS",
        options=_SUBSCRIPTION_STATES,
        writable=True,
    ),
    ContactField(
        id="_newsletterSubscriptionStatus",
        type=FieldType.RADIO,
        label_en="Newsletter subscription status",
        label_es="Estado de suscripción a la newsletter",
        options=_SUBSCRIPTION_STATES,
        writable=True,
    ),
    ContactField(
        id="_emailStatus",
        type=FieldType.RADIO,
        label_en="Email status",
        label_es="Estado de email",
        options=(*_CHANNEL_STATES, "banned"),
        writable=True,
    ),
    ContactField(
        id="_emailBouncedReason",
        type=FieldType.TEXT,
        label_en="Bounced reason",
        label_es="Razón de rebotado",
    ),
    ContactField(
        id="_emailLastBouncedDate",
        type=FieldType.INSTANT,
        label_en="Last bounced date",
        label_es="Fecha del último rebote",
    ),
    ContactField(
        id="_emailSoftBounces",
        type=FieldType.INTEGER,
        label_en="Soft bounces",
        label_es="Cantidad de rebotes temporales",
    ),
    ContactField(
        id="_emailLastSoftBounceDate",
        type=FieldType.INSTANT,
        label_en="Last soft bounce date",
        label_es="Fecha del último rebote temporal",
    ),
    ContactField(
        id="_emailLastUnsubscribedDate",
        type=FieldType.INSTANT,
        label_en="Date of last newsletter unsubscription",
        label_es="Fecha de última baja",
    ),
    ContactField(
        id="_emailLastUnsubscribedIp",
        type=FieldType.IP,
        label_en="IP of the last newsletter unsubscription",
        label_es="IP de la última baja",
    ),
    ContactField(
        id="_emailLastSubscribedDate",
        type=FieldType.INSTANT,
        label_en="Date of last newsletter subscription",
        since=Version.V5,
    ),
    ContactField(
        id="_emailLastSubscribedIp",
        type=FieldType.IP,
        label_en="IP of the last newsletter subscription",
        since=Version.V5,
    ),
    ContactField(
        id="_emailLastSubscribedOrigin",
        type=FieldType.TEXT,
        label_en="Origin of the last newsletter subscription",
        since=Version.V5,
    ),
    ContactField(
        id="_emailLastUnsubscribedOrigin",
        type=FieldType.TEXT,
        label_en="Origin of the last newsletter unsubscription",
        since=Version.V5,
    ),
    ContactField(
        id="_createdOrigin",
        type=FieldType.TEXT,
        label_en="Origin of creation",
        since=Version.V5,
    ),
    ContactField(
        id="_points", type=FieldType.INTEGER, label_en="Points", label_es="Puntos", writable=True
    ),
    ContactField(
        id="_hasPushSubscriptions",
        type=FieldType.BOOLEAN,
        label_en="Has push subscriptions",
        label_es="Tiene suscripciones push",
    ),
    ContactField(
        id="_isAnonymous",
        type=FieldType.BOOLEAN,
        label_en="Unknown email",
        label_es="Email desconocido",
    ),
    ContactField(
        id="_firstPurchaseDate",
        type=FieldType.INSTANT,
        label_en="First purchase date",
        label_es="Fecha de primera compra",
    ),
    ContactField(
        id="_lastPurchaseDate",
        type=FieldType.INSTANT,
        label_en="Last purchase date",
        label_es="Fecha de última compra",
    ),
    ContactField(
        id="_totalPurchases",
        type=FieldType.INTEGER,
        label_en="Total purchases",
        label_es="Compras totales",
    ),
    ContactField(
        id="_totalPurchasesAmount",
        type=FieldType.MONEY,
        label_en="Total purchases amount",
        label_es="Importe total de compras",
    ),
    ContactField(
        id="_averagePurchasesAmount",
        type=FieldType.MONEY,
        label_en="Average purchases amount",
        label_es="Importe medio de compras",
    ),
    ContactField(
        id="_rfm", type=FieldType.RADIO, label_en="RFM - Segment", label_es="RFM - Segment"
    ),
    ContactField(
        id="_recency", type=FieldType.INTEGER, label_en="RFM - Recency", label_es="RFM - Recency"
    ),
    ContactField(
        id="_frequency",
        type=FieldType.INTEGER,
        label_en="RFM - Frequency",
        label_es="RFM - Frequency",
    ),
    ContactField(
        id="_monetary",
        type=FieldType.INTEGER,
        label_en="RFM - Monetary",
        label_es="RFM - Monetary",
    ),
    ContactField(id="_clv", type=FieldType.DECIMAL, label_en="CLV"),
    ContactField(id="_pAlive", type=FieldType.DECIMAL, label_en="P-alive"),
    ContactField(id="_churnRate", type=FieldType.DECIMAL, label_en="Churn rate"),
    ContactField(id="_expectedPurchases", type=FieldType.DECIMAL, label_en="Expected purchases"),
    ContactField(
        id="_createdAt",
        type=FieldType.INSTANT,
        label_en="Creation date",
        label_es="Fecha de creación",
    ),
    ContactField(
        id="_updatedAt",
        type=FieldType.INSTANT,
        label_en="Last update date",
        label_es="Fecha de última actualización",
    ),
)
"""Labels are the newest ones; `versions` knows what older files called a column."""
