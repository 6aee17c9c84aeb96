"""
Which product of AWS's price lists is which sku of ours, and how to ask for it.

Both ways of reading, the Query API and the offer files, go through this table: a product is taken only where every
attribute that tells it from its neighbours says so. To price a new sku, add a `Product`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from integrations.aws.pricing.offers import Attributes

Filter: TypeAlias = tuple[str, str, str]
"""How, which attribute, which value: as GetProducts takes them."""
SAME, HOLDS = "TERM_MATCH", "CONTAINS"


@dataclass(frozen=True, slots=True)
class Product:
    """One family of products."""

    name: str
    """What the command line calls it."""
    service: str
    """The service's code: `AmazonEC2`."""
    unit: str
    sku_of: Callable[[Attributes], str]
    """The sku of a product; empty where it is none of this family."""
    filters_of: Callable[[str], tuple[Filter, ...] | None]
    """What to ask for to get the price of one sku; None where the sku is none of this family."""
    filters: tuple[Filter, ...] = ()
    """What to ask for to get all of the family."""
    basis: str = "list price, on demand"


# --- EC2

OPERATING_SYSTEMS = {"linux": "Linux", "windows": "Windows", "rhel": "RHEL", "suse": "SUSE"}
TENANCIES = {"": "Shared", ".dedicated": "Dedicated"}
EC2_SKU = re.compile(r"aws\.ec2\.(linux|windows|rhel|suse)\.on_demand(\.dedicated|):([\w.-]+)")
EC2_TYPE = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+")


def _ec2(a: Attributes) -> str:
    system = next((ours for ours, theirs in OPERATING_SYSTEMS.items() if theirs == a.get("operatingsystem")), "")
    tenancy = next((ours for ours, theirs in TENANCIES.items() if theirs == a.get("tenancy")), None)
    type_ = a.get("instancetype", "")
    plain = (
        a.get("preinstalledsw", "") in ("", "NA")
        and a.get("capacitystatus") == "Used"
        and a.get("licensemodel", "No License required") == "No License required"
        and a.get("marketoption", "OnDemand") == "OnDemand"
    )
    if not system or tenancy is None or not plain or not EC2_TYPE.fullmatch(type_):
        return ""
    return f"aws.ec2.{system}.on_demand{tenancy}:{type_}"


EC2_ALL: tuple[Filter, ...] = (
    (SAME, "capacitystatus", "Used"),
    (SAME, "preInstalledSw", "NA"),
    (SAME, "licenseModel", "No License required"),
)


def _ec2_filters(sku: str) -> tuple[Filter, ...] | None:
    found = EC2_SKU.fullmatch(sku)
    if found is None:
        return None
    system, tenancy, type_ = found.groups()
    return (
        *EC2_ALL,
        (SAME, "instanceType", type_),
        (SAME, "operatingSystem", OPERATING_SYSTEMS[system]),
        (SAME, "tenancy", TENANCIES[tenancy]),
    )


# --- what is told by its usage type, whose beginning names the region: `USE1-EBS:VolumeUsage.gp3`


def by_usage(pattern: str, sku: Callable[[re.Match[str], Attributes], str]) -> Callable[[Attributes], str]:
    """Return a `sku_of` for products whose usage type, less its region, is like `pattern`."""
    usage = re.compile(rf"(?:[A-Z0-9]+-)?{pattern}")

    def sku_of(a: Attributes) -> str:
        found = usage.fullmatch(a.get("usagetype", ""))
        return sku(found, a) if found else ""

    return sku_of


def asked(pattern: str, *filters: tuple[str, str, str]) -> Callable[[str], tuple[Filter, ...] | None]:
    """Return a `filters_of` for skus like `pattern`; `{1}` in a filter's value is the pattern's first group."""
    sku_pattern = re.compile(pattern)

    def filters_of(sku: str) -> tuple[Filter, ...] | None:
        found = sku_pattern.fullmatch(sku)
        if found is None:
            return None
        groups = ("", *(group or "" for group in found.groups()))
        return tuple((how, name, value.format(*groups)) for how, name, value in filters)

    return filters_of


def _volume(_: re.Match[str], a: Attributes) -> str:
    return f"aws.ebs.{name}" if (name := a.get("volumeapiname", "")) else ""


COMPONENTS: Mapping[str, str] = {
    "Host": "hosting",
    "Notebk": "notebook",
    "Train": "training",
    "Processing": "processing",
    "Studio": "studio",
    "Cluster": "hyperpod",
}
"""SageMaker's words in usage types to ours."""
WORDS = "|".join(COMPONENTS)


def _machine(found: re.Match[str], _: Attributes) -> str:
    return f"aws.sagemaker.{COMPONENTS[found[1]]}:{found[2]}"


def _component_disk(found: re.Match[str], _: Attributes) -> str:
    component = COMPONENTS[found[1]]
    return "" if component in ("hosting", "hyperpod") else f"aws.sagemaker.{component}.storage"


# --- databases, caches, files

ENGINES: Mapping[str, str] = {
    "PostgreSQL": "postgres",
    "MySQL": "mysql",
    "MariaDB": "mariadb",
    "Aurora PostgreSQL": "aurora-postgresql",
    "Aurora MySQL": "aurora-mysql",
}
"""Engines without licences; those with them have prices by edition and licence."""
ENGINE_NAMES: Mapping[str, str] = {ours: theirs for theirs, ours in ENGINES.items()}
RDS_SKU = re.compile(r"aws\.rds\.([a-z-]+)(\.multi_az|):(db\.[\w.-]+)")
RDS_DISKS: Mapping[str, str] = {"GP2": "gp2", "GP3": "gp3", "PIOPS": "io1"}
FILE_CLASSES: Mapping[str, str] = {
    "General Purpose": "standard",
    "Infrequent Access": "infrequent_access",
    "Archive": "archive",
    "One Zone-General Purpose": "standard.one_zone",
    "One Zone-Infrequent Access": "infrequent_access.one_zone",
}


def _database(a: Attributes) -> str:
    engine = ENGINES.get(a.get("databaseengine", ""), "")
    zones = {"Single-AZ": "", "Multi-AZ": ".multi_az"}.get(a.get("deploymentoption", ""))
    type_, storage = a.get("instancetype", ""), a.get("storage", "")
    if not engine or zones is None or not type_.startswith("db.") or "IO Optimization" in storage:
        return ""
    return f"aws.rds.{engine}{zones}:{type_}"


def _database_filters(sku: str) -> tuple[Filter, ...] | None:
    found = RDS_SKU.fullmatch(sku)
    if found is None or found[1] not in ENGINE_NAMES:
        return None
    return (
        (SAME, "instanceType", found[3]),
        (SAME, "databaseEngine", ENGINE_NAMES[found[1]]),
        (SAME, "deploymentOption", "Multi-AZ" if found[2] else "Single-AZ"),
    )


def _search(a: Attributes) -> str:
    type_ = a.get("instancetype", "").replace(".elasticsearch", ".search")
    return f"aws.opensearch:{type_}" if type_.endswith(".search") else ""


def _cache(a: Attributes) -> str:
    engine, type_ = a.get("cacheengine", "").lower(), a.get("instancetype", "")
    return f"aws.elasticache.{engine}:{type_}" if engine and type_.startswith("cache.") else ""


def _cache_filters(sku: str) -> tuple[Filter, ...] | None:
    found = re.fullmatch(r"aws\.elasticache\.(redis|valkey|memcached):(cache\.[\w.-]+)", sku)
    return ((SAME, "instanceType", found[2]), (SAME, "cacheEngine", found[1].capitalize())) if found else None


def _files(_: re.Match[str], a: Attributes) -> str:
    name = FILE_CLASSES.get(a.get("storageclass", ""), "")
    return f"aws.efs.{name}" if name else ""


PRODUCTS: tuple[Product, ...] = (
    Product("ec2", "AmazonEC2", "hour", _ec2, _ec2_filters, EC2_ALL),
    Product(
        "ebs",
        "AmazonEC2",
        "GiB-month",
        by_usage(r"EBS:VolumeUsage(?:\.\w+)?", _volume),
        asked(r"aws\.ebs\.(\w+)", (SAME, "volumeApiName", "{1}")),
        ((SAME, "productFamily", "Storage"),),
        "list price",
    ),
    Product(
        "ebs",
        "AmazonEC2",
        "IOPS-month",
        by_usage(r"EBS:VolumeP-IOPS\.(?:gp3|piops|io2)", lambda f, a: _suffixed(_volume(f, a), ".iops")),
        asked(r"aws\.ebs\.(\w+)\.iops", (SAME, "volumeApiName", "{1}")),
        ((HOLDS, "usagetype", "EBS:VolumeP-IOPS"),),
        "list price",
    ),
    Product(
        "ebs",
        "AmazonEC2",
        "MiBps-month",
        by_usage(r"EBS:VolumeP-Throughput\.gp3", lambda f, a: _suffixed(_volume(f, a), ".throughput")),
        asked(r"aws\.ebs\.(gp3)\.throughput", (SAME, "volumeApiName", "{1}")),
        ((HOLDS, "usagetype", "EBS:VolumeP-Throughput"),),
        "list price",
    ),
    Product(
        "sagemaker",
        "AmazonSageMaker",
        "hour",
        by_usage(rf"({WORDS}):(?:KernelGateway-)?(ml\.[\w.-]+)", _machine),
        asked(
            r"aws\.sagemaker\.(?:hosting|notebook|training|processing|studio|hyperpod):(ml\.[\w.-]+)",
            (HOLDS, "usagetype", "{1}"),
        ),
        ((HOLDS, "usagetype", ":ml."),),
    ),
    Product(
        "sagemaker",
        "AmazonSageMaker",
        "GiB-month",
        by_usage(rf"({WORDS}):VolumeUsage(?:\.gp[23])?", _component_disk),
        asked(
            r"aws\.sagemaker\.(?:notebook|training|processing|studio)\.storage", (HOLDS, "usagetype", ":VolumeUsage")
        ),
        ((HOLDS, "usagetype", ":VolumeUsage"),),
        "list price",
    ),
    Product(
        "opensearch",
        "AmazonES",
        "hour",
        _search,
        asked(r"aws\.opensearch:([\w.-]+)", (SAME, "instanceType", "{1}")),
        ((HOLDS, "instanceType", ".search"),),
    ),
    Product(
        "opensearch",
        "AmazonES",
        "GiB-month",
        by_usage(r"ES:(GP2|GP3)-Storage", lambda f, _: f"aws.opensearch.storage.{f[1].lower()}"),
        asked(r"aws\.opensearch\.storage\.gp[23]", (HOLDS, "usagetype", "-Storage")),
        ((HOLDS, "usagetype", "-Storage"),),
        "list price",
    ),
    Product(
        "opensearch",
        "AmazonES",
        "hour",
        by_usage(r"(Indexing|Search)OCU", lambda f, _: f"aws.opensearch.ocu.{f[1].lower()}"),
        asked(r"aws\.opensearch\.ocu\.(?:indexing|search)", (HOLDS, "usagetype", "OCU")),
        ((HOLDS, "usagetype", "OCU"),),
    ),
    Product("rds", "AmazonRDS", "hour", _database, _database_filters, ((SAME, "productFamily", "Database Instance"),)),
    Product(
        "rds",
        "AmazonRDS",
        "GiB-month",
        by_usage(
            r"RDS:(Multi-AZ-|)(GP2|GP3|PIOPS)-Storage",
            lambda f, _: f"aws.rds.storage.{RDS_DISKS[f[2]]}{'.multi_az' if f[1] else ''}",
        ),
        asked(r"aws\.rds\.storage\.(?:gp2|gp3|io1)(?:\.multi_az)?", (SAME, "productFamily", "Database Storage")),
        ((SAME, "productFamily", "Database Storage"),),
        "list price",
    ),
    Product(
        "elasticache",
        "AmazonElastiCache",
        "hour",
        _cache,
        _cache_filters,
        ((SAME, "productFamily", "Cache Instance"),),
    ),
    Product(
        "efs",
        "AmazonEFS",
        "GiB-month",
        by_usage(r"(?:\w+)?TimedStorage(?:-\w+)?-ByteHrs", _files),
        asked(r"aws\.efs\.(?:standard|infrequent_access|archive)(?:\.one_zone)?", (SAME, "productFamily", "Storage")),
        ((SAME, "productFamily", "Storage"),),
        "list price",
    ),
    Product(
        "efs",
        "AmazonEFS",
        "MiBps-month",
        by_usage(r"ProvisionedTP-MiBpsHrs", lambda *_: "aws.efs.throughput"),
        asked(r"aws\.efs\.throughput", (HOLDS, "usagetype", "ProvisionedTP-MiBpsHrs")),
        ((HOLDS, "usagetype", "ProvisionedTP-MiBpsHrs"),),
        "list price",
    ),
    Product(
        "eks",
        "AmazonEKS",
        "hour",
        by_usage(r"AmazonEKS-Hours:perCluster", lambda *_: "aws.eks.cluster"),
        asked(r"aws\.eks\.cluster", (HOLDS, "usagetype", "AmazonEKS-Hours:perCluster")),
        ((HOLDS, "usagetype", "AmazonEKS-Hours:perCluster"),),
        "list price",
    ),
)
"""The first product that knows an offer or a sku is the one."""
NAMES: tuple[str, ...] = tuple(dict.fromkeys(product.name for product in PRODUCTS))


def _suffixed(name: str, suffix: str) -> str:
    return name + suffix if name else ""


def product_of(sku: str) -> Product | None:
    """Return the product whose price `sku` is; None where AWS's lists are not read for it."""
    return next((product for product in PRODUCTS if product.filters_of(sku) is not None), None)
