"""`lockstep doctor`: looks at an installation from outside, and says what is wrong and what to do.

A look is two functions: one asks and returns facts, one is pure and judges them.
"""

from ops.doctor.finding import Finding
from ops.doctor.looks import examine

__all__ = ["Finding", "examine"]
