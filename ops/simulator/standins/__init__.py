"""Stand-in platforms: what a platform answers when it is asked, for tests, the demo and trials. One module a platform."""
