"""Metrics that count energy, and what names the machine and the device that it is of.

``hw.energy`` and ``hw.host.energy`` are of the conventions (hardware metrics, joules); components
other than GPUs are left out, as they overlap. ``hw.gpu.energy`` is MetricsHub's, and
``hw.gpu.energy.consumed`` OpenLIT's GPU collector's; ``gpu.dcgm.energy_consumption`` is that of
the OpenTelemetry collector's dcgm receiver. ``DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION`` is NVIDIA's
dcgm-exporter's, in millijoules, as a Prometheus receiver scrapes it: with the labels of the pod
that has the GPU, and once for each of its MIG instances, always of the whole GPU.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class EnergyMetric:
    """A metric that counts energy: a sum, delta or cumulative."""

    name: str
    rank: int
    """Of those that tell of one device equally well the lowest counts."""
    millijoules: int = 1000
    """Of one of it, where it names no unit."""
    whole_host: bool = False
    """It is of the machine, with its GPUs."""
    where: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Only points on which these attributes have these texts."""
    gauge: bool = False
    """It counts also where it came as a gauge: some lose what kind it is."""


ENERGY: Final = (
    EnergyMetric("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", rank=0, millijoules=1, gauge=True),
    EnergyMetric("gpu.dcgm.energy_consumption", rank=1),
    EnergyMetric("hw.energy", rank=2, where=MappingProxyType({"hw.type": "gpu"})),
    EnergyMetric("hw.gpu.energy", rank=2),
    EnergyMetric("hw.gpu.energy.consumed", rank=3),
    EnergyMetric("hw.host.energy", rank=0, whole_host=True),
)

UNITS: Final[Mapping[str, int]] = {
    "mJ": 1,
    "J": 1000,
    "kJ": 1_000_000,
    "Wh": 3_600_000,
    "kWh": 3_600_000_000,
}
"""Unit -> millijoules."""

ESTIMATED: Final[Mapping[str, str]] = {"quality": "estimated"}
"""MetricsHub's word for what nobody measured: such points are left out."""

HOSTS: Final = (
    "Hostname",
    "hostname",
    "host.name",
    "host.id",
    "k8s.node.name",
    "node",
    "service.instance.id",
    "instance",
    "server.address",
)
"""What names the machine: the first that is told, on the point before its resource, as what is
scraped has the scraper's resource."""

UUIDS: Final = ("UUID", "uuid", "gpu.uuid", "gpu_uuid")
"""What names a device in all the world."""

DEVICES: Final = (
    "hw.id",
    "hw.serial_number",
    "gpu",
    "gpu_number",
    "gpu.index",
    "index",
    "hw.name",
    "device",
)
"""What names it within its machine."""

KNOWN_BY: Final = ("host.", "k8s.node.", "k8s.cluster.", "cloud.", "deployment.", "service.", "hw.")
"""How names of attributes begin by which people find machines and devices; with all of the above
and MODELS. Others, such as the pod that has the GPU, change while its counter goes on."""

MODELS: Final = ("modelName", "model", "gpu.model", "pci_bus_id")
