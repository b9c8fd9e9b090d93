"""What SAP S/4HANA is and can do, and what a connection to it needs to know."""

from __future__ import annotations

from erp.adapters.sap_s4.adapter import open_adapter
from erp.adapters.sap_s4.reference_values import KINDS
from erp.adapters.sap_s4.translate import S4Translator
from erp.contract.adapter import AdapterSpec, Capability, Field

CUSTOMERS = "Customers"
SALES_ORDERS = "Sales orders"
DOCUMENTS, ADDRESS, SIGN_IN, TLS = "Documents", "Connection", "Sign-in", "TLS and gateway"
YES_NO = (("yes", "Yes"), ("no", "No"))

FIELDS = (
    Field(
        name="base_url",
        label="API address",
        help="The API host of the tenant, e.g. https://my300000-api.s4hana.cloud.sap: with -api, without a path.",
        kind="url",
        required=True,
        section=ADDRESS,
    ),
    Field(
        name="private_network",
        label="In a private network",
        help="Whether the system or its proxy has a private address, such as 10.1.2.3 or one behind a VPN. Without it only public "
        "addresses are called. Recorded in the audit trail.",
        kind="boolean",
        default="no",
        choices=YES_NO,
        section=ADDRESS,
    ),
    Field(
        name="company_code",
        label="Company code",
        help="Four characters, e.g. 1710.",
        required=True,
        section=ADDRESS,
    ),
    Field(
        name="deadline",
        label="Deadline for writes (seconds)",
        help="The longest we wait for the answer to a document before we look it up.",
        kind="number",
        default="90",
        section=ADDRESS,
    ),
    Field(
        name="language",
        label="Language of texts",
        help="The language of account and cost center names, as SAP writes it: EN, DE, FR.",
        default="EN",
        section=ADDRESS,
    ),
    Field(
        name="authentication",
        label="Sign in with",
        help="What the inbound user of the communication system allows. Some releases offer Basic only for journal entries.",
        kind="choice",
        default="oauth",
        choices=(
            ("oauth", "OAuth 2.0 client credentials"),
            ("basic", "Communication user and password (Basic)"),
            ("certificate", "Client certificate"),
        ),
        section=SIGN_IN,
    ),
    Field(
        name="client_id",
        label="Client ID or communication user",
        help="The client ID under OAuth 2.0 Details of the communication arrangement, or the communication user. Not needed with a "
        "client certificate.",
        section=SIGN_IN,
    ),
    Field(name="client_secret", label="Client secret or password", secret=True, section=SIGN_IN),
    Field(
        name="client_certificate",
        label="Client certificate (PEM)",
        help="The certificate that the communication user was given, with those between it and its authority.",
        kind="lines",
        section=SIGN_IN,
    ),
    Field(
        name="client_key",
        label="Private key of the client certificate (PEM)",
        help="Without a passphrase; it is kept encrypted here.",
        kind="lines",
        secret=True,
        section=SIGN_IN,
    ),
    Field(
        name="token_url",
        label="Token address",
        help="Only where tokens are given out elsewhere. Usually /sap/bc/sec/oauth2/token of the API address.",
        kind="url",
        section=SIGN_IN,
    ),
    Field(
        name="token_seconds",
        label="Life of a token (seconds)",
        help="Only used where the system does not say it. 3600 is SAP's default.",
        kind="number",
        default="3600",
        section=SIGN_IN,
    ),
    Field(
        name="ca_bundle",
        label="CA certificates (PEM)",
        help="The certificate authority of the system's certificate, where it is not a public one.",
        kind="lines",
        section=TLS,
    ),
    Field(
        name="certificate_pin",
        label="Certificate fingerprint (SHA-256)",
        help="Accept exactly this certificate, for example a self-signed one.",
        section=TLS,
    ),
    Field(
        name="verify_tls",
        label="Verify the certificate",
        help="Switching this off lets anybody between us and SAP read the credentials. Recorded in the audit trail.",
        kind="boolean",
        default="yes",
        choices=YES_NO,
        section=TLS,
    ),
    Field(
        name="proxy",
        label="Outbound proxy",
        help="http://user:password@proxy.example.com:3128, where calls must leave through one.",
        secret=True,
        section=TLS,
    ),
    Field(
        name="extra_headers",
        label="Extra headers",
        help="One per line, Name: value. Sent with every call, for reverse proxies and VPN gateways.",
        kind="lines",
        secret=True,
        section=TLS,
    ),
    Field(
        name="poster",
        label="Post journal entries by",
        help="SAP's own service is SOAP. OData is for a service of your own that wraps it. Test connection says which works.",
        kind="choice",
        default="soap",
        choices=(
            ("soap", "SOAP (JournalEntryCreateRequestConfirmation_In)"),
            ("odata", "A service of our own (OData)"),
        ),
        section=DOCUMENTS,
    ),
    Field(
        name="odata_root",
        label="Path of your own service",
        help="E.g. /sap/opu/odata/sap/ZJOURNAL_SRV, or one below /sap/opu/odata4.",
        section=DOCUMENTS,
    ),
    Field(
        name="odata_set",
        label="Entity set of your own service",
        help="What a journal entry is posted to, e.g. JournalEntrySet.",
        section=DOCUMENTS,
    ),
    Field(
        name="odata_fields",
        label="Names in your own service",
        help="One per line, ours = yours, where they differ: `Item = to_Items`, `DebtorItem = to_Customers`, `ProductTaxItem = "
        "to_Taxes`, `AmountInTransactionCurrency = Amount`. A hyphen leaves a property out.",
        kind="lines",
        section=DOCUMENTS,
    ),
    Field(
        name="posting_user",
        label="Posting user",
        help="The user that journal entries name as their creator (CreatedByUser), at most 12 characters, e.g. CC0000000002: the "
        "communication user's own technical name.",
        required=True,
        section=DOCUMENTS,
    ),
    Field(
        name="tax_codes",
        label="Tax codes",
        help="One per line: code, percent, jurisdiction or -, name. For example `O1 8.25 TX00000000 Sales tax Texas` or "
        "`A1 19 - VAT 19 %`. SAP S/4HANA lists tax codes nowhere, so those you post with are named here.",
        kind="lines",
        section=DOCUMENTS,
    ),
    Field(
        name="exempt_tax_code",
        label="Tax code of untaxed lines",
        help="For lines without tax, such as rounding and exempt goods. Empty: the company code's own for non-taxable transactions.",
        section=DOCUMENTS,
    ),
    Field(
        name="profit_center",
        label="Profit center",
        help="On every row, where it is not derived from the account or cost center.",
        section=DOCUMENTS,
    ),
    *(
        Field(name=name, label=f"Journal entry type of {what}", default=default, section=DOCUMENTS)
        for name, what, default in (
            ("sale_type", "sales", "DR"),
            ("refund_type", "refunds", "DG"),
            ("payment_type", "payments and pay-outs", "DZ"),
        )
    ),
    Field(
        name="reversal_reason",
        label="Reversal reason",
        help="The reason code of entries that Tieout reverses.",
        default="01",
        section=DOCUMENTS,
    ),
    Field(
        name="one_time_account",
        label="Guests' customer is a one-time account",
        help="Of an account group for one-time customers (CPD): SAP wants name and city with every row on it, and gets them.",
        kind="boolean",
        default="no",
        choices=YES_NO,
        section=CUSTOMERS,
    ),
    Field(
        name="reconciliation_account",
        label="Reconciliation account of customers",
        help="The receivables account of customers that Tieout makes, e.g. 12100000.",
        section=CUSTOMERS,
    ),
    Field(
        name="partner_grouping",
        label="Business partner grouping",
        help="Decides how new customers are numbered, e.g. BP02. A mapped customer group takes its place.",
        section=CUSTOMERS,
    ),
    Field(name="payment_terms", label="Payment terms of customers", help="E.g. 0001.", section=CUSTOMERS),
    Field(
        name="tax_number_type",
        label="Type of tax numbers",
        help="E.g. US1 or DE0. Empty: the store's tax numbers are not sent.",
        section=CUSTOMERS,
    ),
    Field(
        name="sales_organization",
        label="Sales organization",
        help="Opens new customers in a sales area. Empty: they are customers of the company code only.",
        section=CUSTOMERS,
    ),
    Field(name="distribution_channel", label="Distribution channel", section=CUSTOMERS),
    Field(name="division", label="Division", section=CUSTOMERS),
    Field(name="shipping_condition", label="Shipping condition of customers", section=CUSTOMERS),
    Field(
        name="sales_order_type",
        label="Sales order type",
        help="For pipelines that post sales orders. They need the sales area named under Customers.",
        default="OR",
        section=SALES_ORDERS,
    ),
    Field(
        name="price_condition",
        label="Manual price condition",
        help="The condition type that carries the store's net price, e.g. PPR0 or PMP0.",
        default="PPR0",
        section=SALES_ORDERS,
    ),
    Field(
        name="service_material",
        label="Taxed service material",
        help="Carries taxed amounts without an article: shipping, fees. SAP must classify it as fully taxed.",
        section=SALES_ORDERS,
    ),
    Field(
        name="exempt_material",
        label="Untaxed service material",
        help="Carries untaxed amounts without an article: gift certificates, rounding, exempt shipping.",
        section=SALES_ORDERS,
    ),
    Field(
        name="rejection_reason",
        label="Rejection reason",
        help="The reason code of items that Tieout rejects when it takes a sales order back.",
        default="10",
        section=SALES_ORDERS,
    ),
)

SPEC = AdapterSpec(
    key="sap_s4",
    label="SAP S/4HANA",
    fields=FIELDS,
    capabilities=frozenset(
        {
            Capability.PARTNERS,
            Capability.INVOICES,
            Capability.SALES_ORDERS,
            Capability.PAYMENTS,
            Capability.CREDIT_MEMOS,
            Capability.PAYOUTS,
            Capability.CANCELS,
            Capability.TAX_OVERRIDE,
            Capability.REFERENCE_VALUES,
        }
    ),
    reference_kinds=KINDS,
    translator=S4Translator(),
    open=open_adapter,
)
