"""One puller a platform; `connectors/pull/registry.py` lists them."""
