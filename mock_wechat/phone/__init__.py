"""What a person does with the phone: follow, log in, pay, confirm a transfer, read messages."""
