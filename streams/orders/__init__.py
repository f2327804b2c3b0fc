"""What is true of an order: who says what, whether it jumped, who contradicts whom, and what fulfilment may work on."""
