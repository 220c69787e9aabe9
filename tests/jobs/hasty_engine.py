"""An engine with little memory and little patience, so that a test need not fill the machine or wait for a minute."""

import sys

import distributed.system

from core.jobs import dispatch, serve

if __name__ == "__main__":
    distributed.system.MEMORY_LIMIT = 1_200_000_000
    dispatch.HEARTBEAT_S, dispatch.MISSED_MAX = 0.7, 4
    sys.exit(serve.main(sys.argv[1:]))
