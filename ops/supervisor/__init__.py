"""`lockstep up`: everything on this machine, watched and started again."""

from ops.supervisor.up import Refused, up

__all__ = ["Refused", "up"]
