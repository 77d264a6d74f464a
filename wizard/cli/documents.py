"""Commands about documents: apply them, export a product as one, and the schema that they follow."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from wizard.cli.output import say, say_as_is, say_json, warn
from wizard.cli.place import JSON, PRODUCT, place_of, product_of

commands = typer.Typer()

LONGEST_SHOWN = 60
"""How many characters of an answer are shown of what changes."""

MARKS = {"created": "+", "updated": "~", "unchanged": "="}


@commands.command(epilog="Example: wizard apply products.yaml --dry-run")
def apply(
    context: typer.Context,
    files: list[Path] = typer.Argument(metavar="FILE...", help="Documents, in any order; - is standard input."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Only say what would change."),
    as_json: bool = JSON,
) -> int:
    """Create or update products and what they need. Applying twice changes nothing."""
    from wizard import documents

    with place_of(context).store() as store:
        changes = documents.apply(files, store, dry_run)
    if as_json:
        say_json({"changes": [change.model_dump(mode="json") for change in changes]})
        return 0
    for change in changes:
        say(f"{MARKS[change.change]} {change.object} {change.name} {change.change}")
        for detail in change.details if change.change == "updated" else ():
            say(f"    {detail.path}: {_shown(detail.old)} → {_shown(detail.new)}")
        for warning in change.warnings:
            warn(f"! {change.name} cannot go live with this: {warning.message}")
    if not changes:
        say("The documents describe nothing.")
    elif dry_run:
        say("Nothing was changed: this was a dry run.")
    return 0


def _shown(value: object) -> str:
    """An answer on one line, as a document would write it."""
    if value is None or value == "" or value == []:
        return "nothing"
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(written.split())
    return line if len(line) <= LONGEST_SHOWN else f"{line[: LONGEST_SHOWN - 2]} …"


@commands.command(epilog="Example: wizard export yoga-masterclass -o yoga.yaml")
def export(
    context: typer.Context,
    product: str = PRODUCT,
    output: Path | None = typer.Option(
        None, "--output", "-o", metavar="FILE", help="Write to a file, and what it names beside it; - prints it."
    ),
    as_json: bool = JSON,
) -> int:
    """Write a product down as a document. Applied on an empty data folder it gives the same product."""
    from wizard import documents

    output = None if output is not None and str(output) == "-" else output
    with place_of(context).store() as store:
        product_of(store, product)
        found = whole = documents.exported(store, product)
        if output:
            found = documents.export_to(store, product, output)
    if as_json:
        say_json(
            {
                "product": product,
                "document": found.text,
                "file": str(output) if output else None,
                "files": list(found.files),
                "secrets": list(found.secrets),
            }
        )
    elif output is None:
        say_as_is(found.text)
    else:
        at = output.resolve()
        named = f"{output} (a link to {at})" if output.is_symlink() else str(output)
        folder = at.parent if output.is_symlink() else output.parent
        warn_or_say = say if output.is_file() else warn  # a device may be this very output
        warn_or_say(f"Written: {', '.join([named, *(str(folder / place) for place in found.files)])}")
    if (whole.files and not found.files) or (whole.files and output is None):
        names = ", ".join(whole.files)
        warn(f"Not included: {names}. With -o FILE the document's files are written beside it.")
    if found.left_out:
        warn(f"Left out of the bump offers, since they were deleted: {', '.join(found.left_out)}.")
    if found.secrets:
        warn(f"Not included: the secrets. Set {', '.join(found.secrets)} before you apply the document.")
    return 0


@commands.command(epilog="Example: wizard schema > wizard.schema.json")
def schema(as_json: bool = JSON) -> int:
    """Print the JSON Schema of a document, for editors to complete and check it."""
    from wizard import documents

    say_json(documents.schema())
    return 0
