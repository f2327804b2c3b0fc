"""What must be true after a run, by the letter of semantics.md, recomputed from the raw topics: slow, and apart from the folds.

Nothing of `streams` is imported but its policy. The order in which facts were read is taken as it was (receipt order, where
several raw topics meet); everything else follows from what was pushed.
"""
