"""What docker-compose.yml and the image need: a configuration, secrets, health."""
