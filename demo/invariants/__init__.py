"""The eleven things that must always hold, checked after a day in plain SQL and in the doubles' journals.

One module per invariant, `inv_01` … `inv_11`; `demo.invariants.checking.check_all` runs them all. Nothing here imports
the product, its agent or its stand-ins: formulas (the audit chain, the check fields, the quota's bound) are written
down a second time from their documentation.
"""
