"""What SAP Business One is and can do, and what a connection to it needs to know."""

from __future__ import annotations

from erp.adapters.sap_b1.adapter import open_adapter
from erp.adapters.sap_b1.translate import B1Translator
from erp.contract.adapter import AdapterSpec, Capability, Field, ReferenceKind

DOCUMENTS, ADDRESS, SIGN_IN, TLS = "Documents", "Connection", "Sign-in", "TLS and gateway"
YES_NO = (("yes", "Yes"), ("no", "No"))

FIELDS = (
    Field(
        name="base_url",
        label="Service address",
        help="The Service Layer's root, e.g. https://sap.example.com:50000/b1s/v1. Any path prefix of a gateway is fine.",
        kind="url",
        required=True,
        section=ADDRESS,
    ),
    Field(
        name="private_network",
        label="In a private network",
        help="Whether the service or its proxy has a private address, such as 10.1.2.3 or one behind a VPN. Without it only public "
        "addresses are called. Recorded in the audit trail.",
        kind="boolean",
        default="no",
        choices=YES_NO,
        section=ADDRESS,
    ),
    Field(name="company_db", label="Company database", required=True, section=ADDRESS),
    Field(name="user_name", label="User", required=True, section=SIGN_IN),
    Field(name="password", label="Password", required=True, secret=True, section=SIGN_IN),
    Field(
        name="deadline",
        label="Deadline for writes (seconds)",
        help="The longest we wait for the answer to a document before we look it up.",
        kind="number",
        default="90",
        section=ADDRESS,
    ),
    Field(
        name="ca_bundle",
        label="CA certificates (PEM)",
        help="The certificate authority of the Service Layer's certificate, where it is not a public one.",
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
        help="Switching this off lets anybody between us and SAP read the password. Recorded in the audit trail.",
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
        name="tax_field",
        label="Tax localisation",
        help="Localisations with sales tax (US, Canada, ...) put the code in TaxCode, those with VAT in VatGroup.",
        kind="choice",
        default="TaxCode",
        choices=(("TaxCode", "Sales tax codes (TaxCode)"), ("VatGroup", "VAT groups (VatGroup)")),
        section=DOCUMENTS,
    ),
    Field(
        name="exempt_tax_code",
        label="Tax code of untaxed lines",
        help="For lines without tax, such as rounding, gift certificates and exempt lines.",
        section=DOCUMENTS,
    ),
    Field(
        name="service_item",
        label="Service item",
        help="A non-stock sales item that carries amounts without an article, each on its own mapped account.",
        section=DOCUMENTS,
    ),
    Field(
        name="reference_field",
        label="Reference field of documents",
        help="NumAtCard (the customer's reference number), or a user field of marketing documents such as U_TieoutRef.",
        default="NumAtCard",
        section=DOCUMENTS,
    ),
    Field(
        name="payment_reference_field",
        label="Reference field of payments",
        help="A user field of payments such as U_TieoutRef, or CounterReference once Test connection has proved that "
        "16 characters fit.",
        default="CounterReference",
        section=DOCUMENTS,
    ),
    Field(
        name="order_field",
        label="User field for the store's order number",
        help="Optional, on documents and payments, e.g. U_BC_OrderID.",
        section=DOCUMENTS,
    ),
    Field(
        name="partner_marker_field",
        label="Marker field of business partners",
        help="Optional user field that holds our reference of a customer, e.g. U_TieoutRef.",
        section=DOCUMENTS,
    ),
    Field(name="branch", label="Branch (BPLID)", kind="number", section=DOCUMENTS),
    *(
        Field(
            name=f"series_{kind}",
            label=f"Numbering series of {name}",
            help="Empty: the user's default series.",
            kind="number",
            section=DOCUMENTS,
        )
        for kind, name in (
            ("invoice", "A/R invoices"),
            ("sales_order", "sales orders"),
            ("down_payment", "A/R down payments"),
            ("credit_memo", "credit memos"),
            ("payment", "incoming payments"),
            ("payout", "outgoing payments"),
        )
    ),
    Field(
        name="reserve_invoice",
        label="Post reserve invoices",
        help="A reserve invoice books revenue and moves no stock: the warehouse delivers later.",
        kind="boolean",
        default="no",
        choices=YES_NO,
        section=DOCUMENTS,
    ),
    Field(
        name="restock",
        label="Credit memos return goods to stock",
        kind="boolean",
        default="yes",
        choices=YES_NO,
        section=DOCUMENTS,
    ),
    Field(
        name="price_entry",
        label="Enter prices",
        help="How lines are entered so that SAP computes the store's tax to the cent. Automatic tries net, then gross.",
        kind="choice",
        default="auto",
        choices=(("auto", "Automatic"), ("net", "Net"), ("gross", "Gross")),
        section=DOCUMENTS,
    ),
    Field(
        name="cost_center_dimension",
        label="Dimension of cost centers",
        kind="choice",
        default="1",
        choices=tuple((str(n), str(n)) for n in range(1, 6)),
        section=DOCUMENTS,
    ),
    Field(
        name="down_payment_type",
        label="A/R down payments are",
        kind="choice",
        default="dptInvoice",
        choices=(("dptInvoice", "Down payment invoices"), ("dptRequest", "Down payment requests")),
        section=DOCUMENTS,
    ),
    Field(name="down_payment_tax_code", label="Tax code of A/R down payments", section=DOCUMENTS),
    Field(
        name="drafts",
        label="Search drafts of approval procedures",
        help="Automatic searches them unless the company says that approval procedures are off for add-ons.",
        kind="choice",
        default="auto",
        choices=(("auto", "Automatic"), ("yes", "Always"), ("no", "Never")),
        section=DOCUMENTS,
    ),
)

SPEC = AdapterSpec(
    key="sap_b1",
    label="SAP Business One",
    fields=FIELDS,
    capabilities=frozenset(Capability),
    reference_kinds=frozenset(ReferenceKind),
    translator=B1Translator(),
    open=open_adapter,
)
