"""The house's colours: calm, one accent, and nothing that is told by colour alone."""

from __future__ import annotations

from textual.theme import Theme

MUTED = "$foreground 62%"
"""The style of what is said on the side. `$text-muted` works in stylesheets only: in content it comes out white."""

THEMES = (
    Theme(
        name="slate",
        primary="#7aa2c8",
        secondary="#7aa2c8",
        accent="#e0b36a",
        foreground="#d8dce3",
        background="#14161a",
        surface="#1e2126",
        panel="#272a30",
        success="#8fbf8f",
        warning="#e0b36a",
        error="#e58a82",
        dark=True,
        variables={
            "field": "#2f333a",
            "field-focus": "#3f444c",
            "block-cursor-background": "#2b7096",
            "block-cursor-foreground": "#ffffff",
        },
    ),
    Theme(
        name="paper",
        primary="#1f5f91",
        secondary="#1f5f91",
        accent="#8a5a00",
        foreground="#1d2126",
        background="#fcfcfb",
        surface="#f0f0ee",
        panel="#e4e3df",
        success="#1f6f2a",
        warning="#8a5a00",
        error="#a8201a",
        dark=False,
        variables={
            "field": "#d5d4d0",
            "field-focus": "#c4c3bf",
            "block-cursor-background": "#9fdaee",
            "block-cursor-foreground": "#10151a",
        },
    ),
)
"""The first one is the default. Over SSH most terminals show 256 colours: a grey with more than a breath of blue in it
becomes black or navy there, so each level of grey is one of xterm's own (233 page, 234 dialogue, 235 bar, 236 field,
238 field with the focus), and a field still differs from its page where there are only 16."""

FIELD = ("field", "field-focus")
"""What our stylesheets name and other themes do not know: a field, and the one that has the focus."""
