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
        background="#15181d",
        surface="#1c2027",
        panel="#232831",
        success="#8fbf8f",
        warning="#e0b36a",
        error="#e58a82",
        dark=True,
        variables={"block-cursor-background": "#2f4a63", "block-cursor-foreground": "#ffffff"},
    ),
    Theme(
        name="paper",
        primary="#1f5f91",
        secondary="#1f5f91",
        accent="#8a5a00",
        foreground="#1d2126",
        background="#fbfaf7",
        surface="#f1efe9",
        panel="#e6e3da",
        success="#2f6f3a",
        warning="#8a5a00",
        error="#a8332a",
        dark=False,
        variables={"block-cursor-background": "#c9dcec", "block-cursor-foreground": "#10151a"},
    ),
)
"""The first one is the default."""
