"""All faults, by name."""

from faults.contention import CONTENTION
from faults.crashes import CRASHES
from faults.cut_off import CUT_OFF
from faults.disk import DISK
from faults.dumped import DUMPED
from faults.memory import MEMORY
from faults.names import NAMES
from faults.network import NETWORK
from faults.readers import READING
from faults.replicas import REPLICAS
from faults.senders import SENDERS
from faults.served import SERVED

FAULTS = {
    fault.name: fault
    for fault in (
        *CRASHES,
        *MEMORY,
        *NETWORK,
        *CUT_OFF,
        *CONTENTION,
        *DISK,
        *DUMPED,
        *NAMES,
        *READING,
        *REPLICAS,
        *SERVED,
        *SENDERS,
    )
}
