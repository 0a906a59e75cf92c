"""What is asked of a desk. A question may try things out, and changes nothing: whoever asks takes them back."""
