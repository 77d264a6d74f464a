"""Test-fires: a script is carried out step by step, written down, and judged."""
