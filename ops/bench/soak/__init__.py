"""`lockstep bench soak`: the pipeline at its full rate for minutes, and whether anything in it grows."""
