"""From one store to one ERP company: what flows, under which policies, since when."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import models

from erp.models import Environment, ErpConnection
from storefront.models import Store
from sync.models.schedules import Scheduled
from tenants.constraints import SameTenant
from tenants.models import TenantOwned


class Mode(models.TextChoices):
    OFF = "off", "Off: nothing is planned"
    PLAN = "plan", "Plan only: plans are made and shown, nothing is posted"
    POST = "post", "Post: documents are posted in the ERP"


class FlowKind(models.TextChoices):
    ORDERS = "orders", "Orders, payments and refunds to the ERP"
    CUSTOMERS = "customers", "Customers to the ERP"
    INVOICED_ORDERS = "invoiced_orders", "Sales orders that the ERP invoiced"
    REFERENCE_VALUES = "reference_values", "Reference values from the ERP"


FLOWS_OF_THE_ERP = (FlowKind.INVOICED_ORDERS, FlowKind.REFERENCE_VALUES)  # the rest asks the store


class Pipeline(TenantOwned):
    """Store (by channel, currency or customer group) to ERP company. At most one in mode *post* owns an order."""

    key = models.CharField(
        max_length=40, validators=[validate_slug], help_text="Short name, unique for the tenant."
    )
    name = models.CharField(max_length=120)
    store = models.ForeignKey("storefront.Store", models.PROTECT, related_name="pipelines")
    company = models.ForeignKey(
        "erp.ErpConnection", models.PROTECT, related_name="pipelines", verbose_name="ERP company"
    )
    mapping_set = models.ForeignKey("mappings.MappingSet", models.PROTECT, related_name="pipelines")
    mode = models.CharField(
        max_length=10, choices=Mode, default=Mode.PLAN, help_text="A new pipeline plans only."
    )
    environment = models.CharField(max_length=12, choices=Environment, default=Environment.PRODUCTION)
    start_at = models.DateTimeField(
        "go-live", null=True, blank=True, help_text="Orders placed before this moment are not posted."
    )
    channels = models.JSONField(default=list, blank=True, help_text="Channel ids; empty: all.")
    currencies = models.JSONField(default=list, blank=True, help_text="Currency codes; empty: all.")
    customer_groups = models.JSONField(default=list, blank=True, help_text="Customer group ids; empty: all.")
    settings = models.JSONField(default=dict, blank=True)
    settings_version = models.PositiveIntegerField(default=1, editable=False)
    release_on_mapping = models.BooleanField(
        "post when mapped",
        default=True,
        help_text="A mapping that is added lets the orders it blocked post by themselves. Off: they wait for Reprocess.",
    )
    cancel_on_difference = models.BooleanField(
        default=False, help_text="Cancel a document whose total or tax in the ERP differs from the plan."
    )
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["tenant", "key"], name="sync_pipeline_key"),
            SameTenant("store"),
            SameTenant("company"),
            SameTenant("mapping_set"),
        ]
        ordering = ["key"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuses environments that do not agree and two posting pipelines that would own the same order."""
        if None in (self.store_id, self.company_id, self.mapping_set_id):
            return  # what is missing is said at its field
        if {self.store.environment, self.company.environment} != {self.environment}:
            raise ValidationError(
                f"Store {self.store.key} is {self.store.environment} and ERP company {self.company.key} is "
                f"{self.company.environment}: both must be {self.environment}, like the pipeline."
            )
        if self.pk and (moved := self._moved()):
            raise ValidationError(
                f"Pipeline {self.key} has orders already: its {moved} cannot be changed. Switch it off and make another one."
            )
        if self.mapping_set.company_id != self.company_id:
            raise ValidationError(f"The mappings {self.mapping_set} belong to another ERP company.")
        if self.mode == Mode.POST and (other := self.rival()):
            raise ValidationError(
                f"Pipeline {other.key} already posts some of these orders. Narrow one of them."
            )

    def _moved(self) -> str:
        """What was changed that its postings and references depend on."""
        before = Pipeline.objects.filter(pk=self.pk, postings__isnull=False).first()
        if before is None:
            return ""
        if before.store_id != self.store_id:
            return "store"
        return "ERP company" if before.company_id != self.company_id else ""

    def rival(self) -> "Pipeline | None":
        """Another pipeline in mode *post* that could own the same order."""
        others = Pipeline.objects.filter(store=self.store_id, mode=Mode.POST).exclude(pk=self.pk)
        return next((p for p in others if self._overlaps(p)), None)

    def _overlaps(self, other: "Pipeline") -> bool:
        pairs = (
            (self.channels, other.channels),
            (self.currencies, other.currencies),
            (self.customer_groups, other.customer_groups),
        )
        return all(not mine or not theirs or set(mine) & set(theirs) for mine, theirs in pairs)

    def owns(self, *, channel: str, currency: str, customer_group: str) -> bool:
        """Whether an order with these marks belongs to this pipeline."""
        return (
            (not self.channels or channel in self.channels)
            and (not self.currencies or currency in self.currencies)
            and (not self.customer_groups or customer_group in self.customer_groups)
        )


class PipelineVersion(TenantOwned):
    """What a pipeline was set to, and by whom: immutable, so that a plan can be explained later."""

    pipeline = models.ForeignKey(Pipeline, models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    content = models.JSONField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["pipeline", "version"], name="sync_pipelineversion_once"),
            SameTenant("pipeline"),
        ]

    def __str__(self) -> str:
        return f"{self.pipeline_id} v{self.version}"


class Flow(Scheduled):
    """One flow of a pipeline: on or off, its schedule, and how it went last."""

    pipeline = models.ForeignKey(Pipeline, models.CASCADE, related_name="flows")
    kind = models.CharField(max_length=20, choices=FlowKind)
    polled_until = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="A time of the store's clock: all before it was read.",
    )
    refunds_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["pipeline", "kind"], name="sync_flow_kind"),
            SameTenant("pipeline"),
        ]
        ordering = ["pipeline", "kind"]

    def __str__(self) -> str:
        return f"{self.pipeline}: {self.get_kind_display()}"

    @property
    def asked(self) -> Store | ErpConnection:
        """The connection that a run of it asks."""
        return self.pipeline.company if self.kind in FLOWS_OF_THE_ERP else self.pipeline.store
