"""Real processes, killed and cut off while registrations flow; what must hold afterwards is counted."""
