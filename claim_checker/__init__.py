"""Checks a claim package's file offline: hashes, root, signatures, and what is encrypted if the key is there.

Stands alone: nothing of the platform is needed, and nothing is sent anywhere.
"""
