"""A backend of the product wizard that delivers into a folder of JSON files: a lending library.

Nothing is imported here: whoever reads the manifest imports this module too.
"""
