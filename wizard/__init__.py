"""What happens: flow, session, store, preflight, documents, fulfillment, sandbox. Knows no screen."""
