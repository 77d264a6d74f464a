"""Deliveries: what an event leads to, carried out, and proven as the buyer."""
