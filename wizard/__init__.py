"""What happens: flow, session, editing, store, preflight, documents, sale, runs, delivery, sandbox. Knows no screen."""
