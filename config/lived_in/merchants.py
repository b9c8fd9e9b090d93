"""Who lives in the database: three merchants of very different size, their stores, companies, pipelines and people."""

from dataclasses import dataclass

from erp.models import ErpConnection
from mappings.models import MappingSet
from storefront.models import Store
from sync.models import Pipeline
from sync.pipelines import save_pipeline
from tenants.models import Membership, Tenant, User
from tenants.roles import Role

OPERATOR = "olga"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """One pipeline and which of a hundred orders come through it: those numbered `first` to `last`."""

    pipeline: Pipeline
    first: int
    last: int


def settle(password: str) -> list[Shop]:
    """Make them. The operator works for the largest merchant, that is for 80 of 100 orders.

    :param password: the operator's
    """
    acme, beta, gamma = (_tenant(name) for name in ("acme", "beta", "gamma"))
    operator = User.objects.create_user(OPERATOR, password=password)
    Membership.objects.create(tenant=acme, user=operator, role=Role.OPERATOR)
    company = _company(acme)
    return [
        Shop(pipeline=_pipeline(company, "S1"), first=0, last=59),
        Shop(pipeline=_pipeline(company, "S2"), first=60, last=79),
        Shop(pipeline=_pipeline(_company(beta), "B1"), first=80, last=94),
        Shop(pipeline=_pipeline(_company(gamma), "G1"), first=95, last=99),
    ]


def _tenant(slug: str) -> Tenant:
    return Tenant.objects.create(slug=slug, name=f"{slug.capitalize()} Hats")


def _company(tenant: Tenant) -> ErpConnection:
    company = ErpConnection.objects.create(tenant=tenant, key="main", name=f"{tenant.name} Inc.")
    MappingSet.objects.create(tenant=tenant, company=company, name="default")
    return company


def _pipeline(company: ErpConnection, key: str) -> Pipeline:
    store = Store.objects.create(
        tenant=company.tenant,
        key=key,
        name=f"Shop {key}",
        store_hash=f"x{key.lower()}",
        environment="sandbox",
    )
    pipeline = Pipeline(
        tenant=company.tenant,
        key=key.lower(),
        name=f"Shop {key} to {company.name}",
        store=store,
        company=company,
        mapping_set=company.mapping_sets.get(),
        mode="post",
        environment="sandbox",
    )
    return save_pipeline(pipeline, by="bench")
