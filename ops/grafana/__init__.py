"""Grafana dashboards as code: pages made of panels, written as JSON by `python -m ops.grafana`, provisioned in compose."""

from ops.grafana.model import Page
from ops.grafana.pages import alerts, channels, orders, overview, parcels, pipeline, sources

PAGES: tuple[Page, ...] = (overview.PAGE, channels.PAGE, orders.PAGE, parcels.PAGE, alerts.PAGE, pipeline.PAGE, sources.PAGE)
