"""What is decided about a sale before anything is done: pure, and the same every time."""
