"""What a push costs: each connector by itself, and the webhook server beside a bare handler."""
