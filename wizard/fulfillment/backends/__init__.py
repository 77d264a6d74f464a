"""The backends that are shipped. Each is loaded only when it is chosen (see `wizard.fulfillment.registry`)."""
