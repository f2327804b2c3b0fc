"""The commands of `lockstep`, one file per subject. What a command needs is imported when it runs."""
