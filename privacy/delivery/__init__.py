"""What has left: deliveries of exports, who is held by which recipient, and how each is told to let go. A door."""
