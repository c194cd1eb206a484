"""What crosses HTTP about claims: people's side in `people`, what insurers and hospitals say in `partners`."""
