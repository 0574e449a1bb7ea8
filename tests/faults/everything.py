"""All faults, by name."""

from faults.contention import CONTENTION
from faults.crashes import CRASHES
from faults.disk import DISK
from faults.network import NETWORK
from faults.senders import SENDERS
from faults.served import SERVED

FAULTS = {
    fault.name: fault for fault in (*CRASHES, *NETWORK, *CONTENTION, *DISK, *SERVED, *SENDERS)
}
