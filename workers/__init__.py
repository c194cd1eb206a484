"""What runs in the background, when, and what follows what. RQ turns the crank; PostgreSQL holds every intention."""
