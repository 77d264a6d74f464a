"""Commands about documents: apply them, export a product as one, and the schema that they follow."""

from __future__ import annotations

from pathlib import Path

import typer

from wizard import documents
from wizard.cli.output import say, say_as_is, say_json, warn
from wizard.cli.place import JSON, PRODUCT, place_of, product_of

commands = typer.Typer()

MARKS = {"created": "+", "updated": "~", "unchanged": "="}


@commands.command(epilog="Example: wizard apply products.yaml --dry-run")
def apply(
    context: typer.Context,
    files: list[Path] = typer.Argument(metavar="FILE...", help="Documents, in any order."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Only say what would change."),
    as_json: bool = JSON,
) -> int:
    """Create or update products and what they need. Applying twice changes nothing."""
    with place_of(context).store() as store:
        changes = documents.apply(files, store, dry_run)
    if as_json:
        say_json({"changes": [change.model_dump(mode="json") for change in changes]})
        return 0
    for change in changes:
        fields = f": {', '.join(change.fields)}" if change.fields and change.change == "updated" else ""
        say(f"{MARKS[change.change]} {change.object} {change.name} {change.change}{fields}")
        for warning in change.warnings:
            warn(f"! {change.name} cannot go live with this: {warning.message}")
    if not changes:
        say("The documents describe nothing.")
    elif dry_run:
        say("Nothing was changed: this was a dry run.")
    return 0


@commands.command(epilog="Example: wizard export yoga-masterclass -o yoga.yaml")
def export(
    context: typer.Context,
    product: str = PRODUCT,
    output: Path | None = typer.Option(
        None, "--output", "-o", metavar="FILE", help="Write to a file, and what it names beside it."
    ),
    as_json: bool = JSON,
) -> int:
    """Write a product down as a document. Applied on an empty data folder it gives the same product."""
    with place_of(context).store() as store:
        product_of(store, product)
        found = documents.export_to(store, product, output) if output else documents.exported(store, product)
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
        say(f"Written: {', '.join([str(output), *(str(output.parent / place) for place in found.files)])}")
    if found.files and output is None:
        names = ", ".join(found.files)
        warn(f"Not included: {names}. With -o FILE the document's files are written beside it.")
    if found.secrets:
        warn(f"Not included: the secrets. Set {', '.join(found.secrets)} before you apply the document.")
    return 0


@commands.command(epilog="Example: wizard schema > wizard.schema.json")
def schema(as_json: bool = JSON) -> int:
    """Print the JSON Schema of a document, for editors to complete and check it."""
    say_json(documents.schema())
    return 0
