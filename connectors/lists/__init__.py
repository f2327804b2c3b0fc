"""How objects of platforms' lists are read: one module a platform, used by its connector; `base.py` has what they share."""
