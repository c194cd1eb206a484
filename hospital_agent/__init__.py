"""The program on a partner's front-end machine: reads the source, pushes signed batches, fetches and answers commands.

It stands alone (nothing of the platform is imported) and only ever calls out: no port is opened here.
"""
