"""Reading the source database through SQLAlchemy, gently: bulk when it is idle, one patient at any time."""
