"""Widgets that any page may use, and what they override of Textual."""
