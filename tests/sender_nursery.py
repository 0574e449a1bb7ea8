"""Starts sender processes at once: it forks one for each line read, everything imported.

    python -m sender_nursery STAKE-AS-JSON

Answers the process id of each. Ends, with all of them, when its input does.
"""

import json
import os
import signal
import sys
import traceback

from senders_torture import Stake, hurry, send_for_ever, warm


def main() -> None:
    stake = Stake(**json.loads(sys.argv[1]))
    hurry(stake.lease)
    database = warm(stake)
    # Nobody waits for them: the kernel clears them away.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    say("ready")
    born = []
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            sys.stdin.close()
            try:
                send_for_ever(stake, database, int(line))
            except BaseException:  # noqa: BLE001  # whatever it is, this is no nursery
                traceback.print_exc()
            os._exit(1)
        born.append(pid)
        say(str(pid))
    for pid in born:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
