"""Zhipei 直赔: the product. `factory.create_app` is the table of contents of what a process serves."""
