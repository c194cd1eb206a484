"""What owners bring along: public accounts, mini-programs, merchant numbers, bank accounts; their secrets sealed."""
