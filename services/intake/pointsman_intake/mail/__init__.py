"""Mail: raw bytes (RFC 5322, MIME) to what was said, under limits where a bomb cannot hurt."""
